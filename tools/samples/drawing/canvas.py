"""The canvas: a picture twice its final size, and the brushes and colours that draw on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from tools.samples.drawing.shapes import Points, tube

Colour = tuple[int, int, int]
Span = tuple[float, float]
Size = tuple[int, int]
Thing = TypeVar("Thing")

SUPERSAMPLING = 2


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """The first colour with a share (0 to 1) of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def shaded(colour: Colour, light: float) -> Colour:
    """The colour in more light (above 1) or less (below 1)."""
    if light > 1:
        return mixed(colour, (255, 255, 255), min(light - 1, 1.0))
    return mixed((0, 0, 0), colour, light)


def varied(colour: Colour, random: Generator, amount: float = 12.0) -> Colour:
    """A colour near this one, more often lighter or darker than of another hue."""
    change = random.normal(0, amount) + random.normal(0, amount / 2.5, 3)
    red, green, blue = np.clip(colour + change, 0, 255).astype(int).tolist()
    return red, green, blue


def one_of(random: Generator, things: Sequence[Thing]) -> Thing:
    """One of the things, each as likely."""
    return things[int(random.integers(len(things)))]


def chosen(random: Generator, colours: Sequence[Colour], amount: float = 10.0) -> Colour:
    """A colour near one of these."""
    return varied(one_of(random, colours), random, amount)


@dataclass(frozen=True)
class Brush:
    """Draws shapes given in its own frame: moved, turned, mirrored and sized by `at`."""

    surface: ImageDraw.ImageDraw
    frame: Points
    origin: Points

    def at(
        self,
        x: float,
        y: float,
        size: float = 1.0,
        turn: float = 0.0,
        squash: float = 1.0,
        mirrored: bool = False,
    ) -> "Brush":
        """A brush whose (0, 0) is this one's (x, y); squash flattens its y axis."""
        cosine, sine = np.cos(turn), np.sin(turn)
        across = -size if mirrored else size
        inner = np.array(
            [[cosine * across, -sine * size * squash], [sine * across, cosine * size * squash]]
        )
        origin = self.origin + self.frame @ (x, y)
        return replace(self, frame=self.frame @ inner, origin=origin)

    def fill(self, outline: Points, colour: Colour) -> None:
        """Fills the outline."""
        self.surface.polygon(self._placed(outline), fill=colour)

    def line(self, path: Points | Sequence[Sequence[float]], colour: Colour, width: float) -> None:
        """Draws the path, `width` wide in this brush's frame."""
        pixels = max(1, round(width * self.scale))
        self.surface.line(self._placed(np.asarray(path)), fill=colour, width=pixels, joint="curve")

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fills a disc about (x, y), round however the brush is squashed."""
        across, down = self.frame @ (x, y) + self.origin
        reach = radius * self.scale
        box = (across - reach, down - reach, across + reach, down + reach)
        self.surface.ellipse(box, fill=colour)

    @property
    def scale(self) -> float:
        """Canvas pixels to one unit of this brush's frame."""
        (left, right), (lower_left, lower_right) = self.frame.tolist()
        return float(abs(left * lower_right - right * lower_left) ** 0.5)

    def _placed(self, points: Points) -> list[float]:
        placed: list[float] = (points @ self.frame.T + self.origin).ravel().tolist()
        return placed


Limb = tuple[Brush, Points]
"""Where a limb is drawn, and its spine in rows as `tube` takes them."""


def brush_on(image: Image.Image) -> Brush:
    """A brush whose frame is the finished picture's pixels."""
    return Brush(ImageDraw.Draw(image), np.eye(2) * SUPERSAMPLING, np.zeros(2))


def model(limbs: Sequence[Limb], colour: Colour, light: Span = (0.0, -1.0)) -> None:
    """Fills limbs as one rounded body, lighter towards the light.

    Every tone is laid over all the limbs before the next, so that no seam shows between them.
    """
    towards = np.array([*light, 0.0])
    for tone, share in ((0.72, 1.0), (0.88, 0.82), (1.0, 0.6), (1.08, 0.3)):
        for brush, spine in limbs:
            radius = spine[:, 2:]
            inner = np.concatenate([spine[:, :2], radius * share], axis=1)
            brush.fill(tube(inner + radius * (1 - share) * 0.75 * towards), shaded(colour, tone))


def soft_field(random: Generator, cells: int, size: Size) -> Points:
    """Smooth random hills between about -1 and 1, `cells` a side, as (height, width)."""
    coarse = random.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
