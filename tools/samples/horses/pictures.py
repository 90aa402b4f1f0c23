"""Horses and humans: as photographed, whole or in part, and as a computer renders them."""

from collections.abc import Callable
from functools import partial

from numpy.random import Generator
from PIL import Image, ImageDraw

from tools.samples.drawing.canvas import SUPERSAMPLING, Brush, Colour, Size, chosen, one_of
from tools.samples.drawing.scenes import Photography, scene
from tools.samples.horses.horse import horse
from tools.samples.horses.human import human

CLASSES = ("horses", "humans")

_CAMERA = Photography(exposure=(0.5, 1.2), contrast=(0.55, 1.15), blur=(0.6, 4.0), blurred=0.45)
_COMPUTER = Photography(
    exposure=(0.9, 1.05),
    tint=0.02,
    shadows=(0.02, 0.1),
    contrast=(0.9, 1.05),
    noise=(1.0, 5.0),
    blurred=0.15,
    colourless=0.0,
)
_SKIES: tuple[Colour, ...] = ((170, 200, 228), (200, 212, 220), (216, 208, 198))
_PLAINS: tuple[Colour, ...] = ((150, 170, 110), (196, 180, 146), (170, 172, 170))


def draw(name: str, random: Generator) -> Image.Image:
    """One or two figures as photographed, on any ground."""
    return scene(random, partial(_group, _FIGURES[name]), _CAMERA)


def draw_rendered(name: str, random: Generator) -> Image.Image:
    """One whole figure on a bare plain, as a computer renders it."""
    return scene(random, partial(_standing, _FIGURES[name]), _COMPUTER, _bare_plain)


def _group(
    figure: Callable[[Brush, Generator], None], brush: Brush, size: Size, random: Generator
) -> None:
    """One or two figures, the nearer last and some so near that they are cut off."""
    height = min(size) * random.uniform(0.2, 0.6)
    near = random.uniform(1.3, 2.4) if random.random() < 0.3 else 1.0
    for closer in one_of(random, ((near,), (near,), (near,), (1.0, near))):
        # A closer figure is lowered, so that it is cut off at the legs rather than at the head.
        x = size[0] * random.uniform(0.25, 0.75)
        y = size[1] * random.uniform(0.5, 0.9) + height * (0.4 * closer - 0.9)
        squash, mirrored = random.uniform(0.9, 1.12), random.random() < 0.5
        figure(brush.at(x, y, height * closer, random.normal(0, 0.06), squash, mirrored), random)


def _standing(
    figure: Callable[[Brush, Generator], None], brush: Brush, size: Size, random: Generator
) -> None:
    """One figure, whole, about the middle."""
    height = min(size) * random.uniform(0.42, 0.56)
    x, y = size[0] * random.uniform(0.42, 0.58), size[1] * random.uniform(0.48, 0.56)
    figure(brush.at(x, y, height, random.normal(0, 0.04), 1, random.random() < 0.5), random)


def _bare_plain(random: Generator, size: Size) -> Image.Image:
    """The sky over a plain of one colour, at the canvas's scale."""
    width, height = (side * SUPERSAMPLING for side in size)
    image = Image.new("RGB", (width, height), chosen(random, _SKIES))
    horizon = height * random.uniform(0.55, 0.75)
    floor = (0, horizon, width, height)
    ImageDraw.Draw(image).rectangle(floor, fill=chosen(random, _PLAINS))
    return image


_FIGURES = {"horses": horse, "humans": human}
