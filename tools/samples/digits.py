"""Digits as people write them: strokes of a pen, slanted, turned and bent by each hand."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator
from PIL import Image

from tools.samples.drawing.canvas import Brush, one_of
from tools.samples.drawing.grey import grey, grey_picture
from tools.samples.drawing.shapes import Points, curve

Stroke = tuple[tuple[float, float], ...]
Glyph = tuple[Stroke, ...]


@dataclass(frozen=True)
class Hand:
    """How one person writes: how far letters slant, and the waves that bend their strokes."""

    slant: float
    waves: Points
    """How far each of some waves pushes to the right and down, one a row."""
    phases: Points

    def path(self, stroke: Stroke) -> Points:
        """The way of the pen: straight between two corners, smooth through more."""
        path = np.linspace(*stroke, 12) if len(stroke) == 2 else curve(stroke)
        frequencies = 1.5 * (1 + np.arange(len(self.waves))[:, None, None])
        crests = np.sin(frequencies * path[:, ::-1] + self.phases[:, None])
        pushes = crests * self.waves[:, None]
        return (path + pushes.sum(axis=0)) @ np.array([[1, 0], [-self.slant, 1]])


def draw(name: str, random: Generator) -> Image.Image:
    """A picture of the digit called `name`."""
    return grey_picture(random, partial(_written, one_of(random, _GLYPHS[name])), softness=0.45)


def _written(glyph: Glyph, brush: Brush, random: Generator) -> None:
    """One digit, somewhere about the middle."""
    x, y = random.normal(0, 0.07, 2)
    size, turn = random.uniform(0.72, 1.02), random.normal(0, 0.1)
    paper, hand = brush.at(x, y, size, turn, random.uniform(0.8, 1.1)), _hand(random)
    width, ink = random.uniform(0.12, 0.3), grey(random.uniform(0.75, 1))
    for path in map(hand.path, glyph):
        paper.line(path, ink, width)
        for end in (path[0], path[-1]):
            paper.dot(end[0], end[1], width / 2, ink)


def _hand(random: Generator) -> Hand:
    waves, phases = random.normal(0, 0.055, (3, 2)), random.uniform(0, 2 * np.pi, (3, 2))
    return Hand(random.normal(0.15, 0.16), waves, phases)


# The ways of writing each digit, in a frame of about 0.45 to either side and 0.8 up and down.
_RING: Stroke = (
    (0, -0.8), (0.4, -0.5), (0.46, 0), (0.4, 0.5), (0, 0.8), (-0.4, 0.5), (-0.46, 0), (-0.4, -0.5),
    (0, -0.8),
)  # fmt: skip
_STEM: Stroke = ((0, -0.8), (0, 0.8))

_GLYPHS: dict[str, tuple[Glyph, ...]] = {
    "0": ((_RING,), (tuple((0.72 * x, y) for x, y in _RING),)),
    "1": (
        (_STEM,),
        (_STEM, ((-0.28, -0.5), (0, -0.8))),
        (_STEM, ((-0.28, -0.5), (0, -0.8)), ((-0.3, 0.8), (0.3, 0.8))),
    ),
    "2": (
        (
            (
                (-0.42, -0.5), (-0.2, -0.76), (0.15, -0.78), (0.4, -0.45), (0.25, -0.05),
                (-0.45, 0.78),
            ),
            ((-0.45, 0.78), (0.45, 0.78)),
        ),
        (
            (
                (-0.42, -0.45), (0, -0.8), (0.38, -0.4), (0.05, 0.3), (-0.35, 0.74), (-0.42, 0.5),
                (-0.1, 0.52), (0.15, 0.76), (0.48, 0.68),
            ),
        ),
    ),
    "3": (
        (
            (
                (-0.4, -0.6), (0, -0.8), (0.35, -0.55), (0.25, -0.18), (-0.05, -0.03), (0.3, 0.15),
                (0.42, 0.45), (0.1, 0.78), (-0.42, 0.6),
            ),
        ),
        (
            ((-0.4, -0.78), (0.38, -0.78)),
            ((0.38, -0.78), (0, -0.12)),
            ((0, -0.12), (0.38, 0.1), (0.38, 0.55), (0, 0.8), (-0.4, 0.6)),
        ),
    ),
    "4": (
        (((-0.3, -0.75), (-0.42, 0.1)), ((-0.42, 0.1), (0.45, 0.1)), ((0.2, -0.7), (0.16, 0.8))),
        (((0.2, -0.8), (-0.46, 0.2)), ((-0.46, 0.2), (0.48, 0.2)), ((0.2, -0.8), (0.2, 0.8))),
    ),
    "5": (
        (
            ((0.4, -0.78), (-0.3, -0.78)),
            ((-0.3, -0.78), (-0.36, -0.1)),
            ((-0.36, -0.1), (0, -0.22), (0.38, 0.1), (0.35, 0.55), (0, 0.8), (-0.42, 0.62)),
        ),
        (
            (
                (0.42, -0.7), (0, -0.76), (-0.28, -0.7), (-0.3, -0.2), (0.1, -0.12), (0.36, 0.25),
                (0.15, 0.72), (-0.4, 0.7),
            ),
        ),
    ),
    "6": (
        (
            (
                (0.3, -0.78), (-0.1, -0.6), (-0.38, 0), (-0.36, 0.5), (0, 0.8), (0.38, 0.45),
                (0.2, 0.08), (-0.15, 0.12), (-0.36, 0.45),
            ),
        ),
        (
            (
                (0, -0.8), (-0.3, -0.2), (-0.38, 0.4), (-0.05, 0.78), (0.3, 0.5), (0.05, 0.2),
                (-0.34, 0.5),
            ),
        ),
    ),
    "7": (
        (((-0.42, -0.76), (0.42, -0.76)), ((0.42, -0.76), (0.08, 0), (-0.1, 0.8))),
        (
            ((-0.42, -0.76), (0.42, -0.76)),
            ((0.42, -0.76), (0.08, 0), (-0.1, 0.8)),
            ((-0.2, 0), (0.36, 0)),
        ),
        (((-0.42, -0.5), (-0.4, -0.74), (0.4, -0.7), (0.15, 0), (0.05, 0.8)),),
    ),
    "8": (
        (
            (
                (0.3, -0.55), (0, -0.8), (-0.32, -0.5), (0, -0.05), (0.4, 0.4), (0, 0.8),
                (-0.4, 0.4), (0, -0.05), (0.3, -0.55),
            ),
        ),
        (
            ((0, -0.8), (0.3, -0.42), (0, -0.06), (-0.3, -0.42), (0, -0.8)),
            ((0, -0.06), (0.4, 0.38), (0, 0.8), (-0.4, 0.38), (0, -0.06)),
        ),
    ),
    "9": (
        (
            ((0.36, -0.4), (0.05, -0.78), (-0.36, -0.45), (-0.05, -0.05), (0.36, -0.4)),
            ((0.36, -0.4), (0.3, 0.2), (0.15, 0.8)),
        ),
        (
            (
                (0.34, -0.45), (0, -0.8), (-0.36, -0.42), (0, -0.08), (0.36, -0.45), (0.36, 0.3),
                (0.05, 0.78), (-0.3, 0.66),
            ),
        ),
    ),
}  # fmt: skip

CLASSES = tuple(_GLYPHS)
