"""Small grey pictures, light on black, as MNIST and Fashion-MNIST have them."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from tools.samples.drawing.canvas import Brush, Colour

SIDE = 28
_FINENESS = 6  # pixels of the canvas to one of the picture
_DARKEST_LIT = 40


def grey(level: float) -> Colour:
    """A grey from 0, black, to 1, white."""
    shade = round(255 * min(max(level, 0.0), 1.0))
    return shade, shade, shade


def grey_picture(
    random: Generator, subject: Callable[[Brush, Generator], None], softness: float
) -> Image.Image:
    """A picture of 28x28 of what `subject` draws in a frame from (-1, -1) to (1, 1).

    It is blurred by about `softness` pixels and has a little noise where it is lit.
    """
    canvas = Image.new("RGB", (SIDE * _FINENESS, SIDE * _FINENESS))
    half = SIDE * _FINENESS / 2
    subject(Brush(ImageDraw.Draw(canvas), np.eye(2) * half, np.full(2, half)), random)
    blur = ImageFilter.GaussianBlur(_FINENESS * softness * random.uniform(0.5, 1.5))
    picture = canvas.convert("L").filter(blur).reduce(_FINENESS)
    return _with_grain(picture, random)


def _with_grain(picture: Image.Image, random: Generator) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float32)
    grain = random.standard_normal(pixels.shape, dtype=np.float32) * random.uniform(2, 12)
    lit = np.minimum(pixels / _DARKEST_LIT, 1)
    return Image.fromarray((pixels + lit * grain).clip(0, 255).astype(np.uint8))
