"""Ten kinds of garments, laid flat or seen from the left, each cut, woven and lit its own way."""

from functools import partial

import numpy as np
from numpy.random import Generator
from PIL import Image

from tools.samples.drawing.canvas import Brush, one_of, soft_field
from tools.samples.drawing.grey import SIDE, grey_picture
from tools.samples.drawing.shapes import Points
from tools.samples.fashion import clothes, shoes
from tools.samples.fashion.garments import Garment


def draw(name: str, random: Generator) -> Image.Image:
    """A picture of the garment called `name`."""
    picture = grey_picture(random, partial(_laid_out, name), softness=0.35)
    pixels = np.asarray(picture, dtype=np.float32) * _weave(random)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _laid_out(name: str, brush: Brush, random: Generator) -> None:
    x, y = random.normal(0, 0.04, 2)
    size, turn = random.uniform(0.85, 1.02), random.normal(0, 0.05)
    place = brush.at(x, y, size, turn, random.uniform(0.88, 1.08))
    _GARMENTS[name](Garment(place, random, light=random.uniform(0.35, 1.0)))


def _weave(random: Generator) -> Points:
    """How light each pixel of the cloth is: plain, mottled or striped, [28, 28]."""
    mottled = 1 + random.uniform(0.05, 0.25) * soft_field(random, 6, (SIDE, SIDE))
    return mottled * one_of(random, _WEAVES)(random)


def _plain(_: Generator) -> Points:
    return np.ones((SIDE, SIDE))


def _across(random: Generator) -> Points:
    along = np.arange(SIDE)[:, None]
    stripes = np.sin(2 * np.pi * along / random.uniform(3, 9) + random.uniform(0, 2 * np.pi))
    return np.broadcast_to(1 + random.uniform(0.15, 0.45) * stripes, (SIDE, SIDE))


def _down(random: Generator) -> Points:
    return _across(random).T


def _checked(random: Generator) -> Points:
    return _across(random) * _down(random)


_WEAVES = (_plain, _plain, _plain, _plain, _across, _down, _checked)

_GARMENTS = {
    "T-shirt/top": clothes.t_shirt,
    "Trouser": clothes.trouser,
    "Pullover": clothes.pullover,
    "Dress": clothes.dress,
    "Coat": clothes.coat,
    "Sandal": shoes.sandal,
    "Shirt": clothes.shirt,
    "Sneaker": shoes.sneaker,
    "Bag": clothes.bag,
    "Ankle boot": shoes.ankle_boot,
}

CLASSES = tuple(_GARMENTS)
