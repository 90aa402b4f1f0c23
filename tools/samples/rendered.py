"""Horses and humans as a computer renders them: one whole figure each, on a bare plain."""

from collections.abc import Callable
from functools import partial

from numpy.random import Generator
from PIL import Image, ImageDraw

from tools.samples.canvas import SUPERSAMPLING, Brush, Colour, Size, chosen
from tools.samples.horses import horse
from tools.samples.humans import human
from tools.samples.scenes import Photography, scene

_CAMERA = Photography(
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
    """A picture of one of the "horses" or one of the "humans"."""
    figure = horse if name == "horses" else human
    return scene(random, partial(_standing, figure), _CAMERA, _bare_plain)


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
