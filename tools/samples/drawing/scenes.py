"""Scenes: a subject on a ground, in some light, as a camera would take it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from tools.samples.drawing.canvas import (
    SUPERSAMPLING,
    Brush,
    Size,
    Span,
    brush_on,
    one_of,
    soft_field,
)
from tools.samples.drawing.grounds import blades, ground

_SIZES = ((240, 240), (240, 240), (256, 256), (280, 220), (260, 200), (220, 260), (200, 250))
_GRASS_SHARE = 0.35  # of the pictures have blades of grass before the subject


@dataclass(frozen=True)
class Photography:
    """How much the light and the camera vary from picture to picture."""

    exposure: Span = (0.65, 1.2)
    tint: float = 0.05
    shadows: Span = (0.05, 0.3)
    contrast: Span = (0.7, 1.15)
    noise: Span = (1.0, 9.0)
    blurred: float = 0.35
    blur: Span = (0.6, 2.2)
    colourless: float = 0.04


PLAIN = Photography()


def scene(
    random: Generator,
    subject: Callable[[Brush, Size, Generator], None],
    camera: Photography = PLAIN,
    behind: Callable[[Generator, Size], Image.Image] = ground,
) -> Image.Image:
    """A picture of what `subject` draws before what is `behind`: a ground of any kind."""
    size = _picture_size(random)
    image = behind(random, size)
    brush = brush_on(image)
    subject(brush, size, random)
    if random.random() < _GRASS_SHARE:
        blades(brush, random, size, int(random.integers(8, 50)))
    return _photographed(image, random, camera)


def _picture_size(random: Generator) -> Size:
    """The width and height of a picture: about 240 by 240, square, landscape or portrait."""
    width, height = one_of(random, _SIZES)
    return width + int(random.integers(-12, 13)), height + int(random.integers(-12, 13))


def _photographed(image: Image.Image, random: Generator, camera: Photography) -> Image.Image:
    """The finished picture: reduced to its size, in some light, with a camera's blur and noise."""
    picture = image.reduce(SUPERSAMPLING)
    if random.random() < camera.blurred:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(*camera.blur)))
    if random.random() < camera.colourless:
        picture = picture.convert("L").convert("RGB")
    return Image.fromarray(_exposed(picture, random, camera))


def _exposed(picture: Image.Image, random: Generator, camera: Photography) -> NDArray[np.uint8]:
    pixels = np.asarray(picture, dtype=np.float32)
    shadows = 1 + random.uniform(*camera.shadows) * soft_field(random, 4, picture.size)
    tint = random.normal(1, camera.tint, 3) * random.uniform(*camera.exposure)
    grain = random.standard_normal(pixels.shape[:2], dtype=np.float32)
    grain *= random.uniform(*camera.noise)
    middle = pixels.mean()
    pixels = (pixels - middle) * np.float32(random.uniform(*camera.contrast)) + middle
    pixels = pixels * shadows[..., None] * tint.astype(np.float32) + grain[..., None]
    return pixels.clip(0, 255).astype(np.uint8)
