"""Five flowers: dandelion, daisy, tulip, sunflower and rose, alone or in groups."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator
from PIL import Image

from tools.samples.drawing.canvas import Brush, Colour, Size, chosen, mixed, one_of, shaded, varied
from tools.samples.drawing.scenes import scene
from tools.samples.drawing.shapes import Points, curve, petal, toothed
from tools.samples.flowers import blooms
from tools.samples.flowers.blooms import STEMS, Bloom

_TULIPS: tuple[Colour, ...] = (
    (214, 40, 50), (240, 180, 40), (226, 110, 160), (130, 56, 140), (244, 238, 226), (238, 116, 50)
)  # fmt: skip
_ROSES: tuple[Colour, ...] = (
    (190, 22, 44), (224, 90, 120), (244, 206, 200), (246, 240, 226), (242, 206, 110), (232, 120, 80)
)  # fmt: skip
_FROM_THE_SIDE = (blooms.tulip, blooms.rosebud)  # never upside down


@dataclass(frozen=True)
class Flower:
    """A kind of flower: its colours, its heads (drawn equally often), its leaf and its stem."""

    colours: tuple[Colour, ...]
    heads: tuple[Callable[[Bloom], None], ...]
    leaf: Callable[[Brush, Colour], None]
    stem: float


def draw(name: str, random: Generator) -> Image.Image:
    """A picture of the flower called `name`."""
    return scene(random, partial(_bed, _FLOWERS[name]))


def _bed(flower: Flower, brush: Brush, size: Size, random: Generator) -> None:
    """One flower or several, mostly alike."""
    head, colour = one_of(random, flower.heads), chosen(random, flower.colours)
    for x, y, radius in _places(random, size):
        if random.random() < 0.2:
            head = one_of(random, flower.heads)
        _greenery(brush, random, flower, (x, y, radius), size[1])
        _bloom(brush.at(x, y, radius), random, head, colour)


def _places(random: Generator, size: Size) -> list[tuple[float, float, float]]:
    """Where the heads are (x, y, radius), the farthest first."""
    count = int(random.choice([1, 1, 1, 2, 3, 5, 9]))
    largest = min(size) * random.uniform(0.16, 0.42) / count**0.38
    radii = np.sort(largest * random.uniform(0.7, 1.1, count))
    x = size[0] * random.uniform(0.12, 0.88, count)
    y = size[1] * random.uniform(0.15, 0.75, count)
    places: list[tuple[float, float, float]] = np.stack([x, y, radii], axis=1).tolist()
    return places


def _greenery(
    brush: Brush,
    random: Generator,
    flower: Flower,
    place: tuple[float, float, float],
    height: int,
) -> None:
    """The stem from a head to the lower edge of the picture, and leaves along it."""
    green = chosen(random, STEMS)
    x, y, radius = place
    length, lean = height - y + 10, random.normal(0, 0.25)
    stem = curve(
        [(x, y), (x - lean * 0.2 * length, y + length / 2), (x - lean * length, y + length)]
    )
    width = flower.stem * radius
    brush.line(stem, shaded(green, 0.75), width)
    brush.line(stem - (width * 0.15, 0), green, width * 0.55)
    for share in random.uniform(0.35, 0.95, random.integers(1, 4)):
        foot = stem[int(share * (len(stem) - 1))]
        side = -1 if random.random() < 0.5 else 1
        reach = radius * random.uniform(0.8, 1.3)
        leaf = brush.at(foot[0], foot[1], reach, -side * random.uniform(0.1, 1.0), 1, side < 0)
        flower.leaf(leaf, varied(green, random, 10))


def _bloom(brush: Brush, random: Generator, head: Callable[[Bloom], None], colour: Colour) -> None:
    """One head, turned and tilted as it happens to grow."""
    if head in _FROM_THE_SIDE:
        seen = brush.at(0, 0, 1, random.normal(0, 0.3), random.uniform(0.8, 1.1))
    else:
        tilt = brush.at(0, 0, 1, random.normal(0, 0.5), random.uniform(0.45, 1))
        seen = tilt.at(0, 0, 1, random.uniform(0, 2 * np.pi))
    head(Bloom(seen, random, varied(colour, random, 8)))


def _ribbed(brush: Brush, colour: Colour, blade: Points) -> None:
    brush.fill(blade, shaded(colour, 0.85))
    brush.fill(blade * (0.9, 0.55) + (0.03, -0.02), colour)
    brush.line([(0, 0), (blade[:, 0].max() * 0.9, 0)], shaded(colour, 1.25), 0.03)


def _lions_tooth(brush: Brush, colour: Colour) -> None:
    _ribbed(brush, colour, toothed(petal(0, 2.2, 0.5, 1.4), 0.55))


def _spoon(brush: Brush, colour: Colour) -> None:
    _ribbed(brush, colour, petal(0, 1.0, 0.18, 1.7))


def _sword(brush: Brush, colour: Colour) -> None:
    _ribbed(brush.at(0, 0, 1, -0.6), mixed(colour, (110, 150, 130), 0.4), petal(0, 2.8, 0.34))


def _heart(brush: Brush, colour: Colour) -> None:
    _ribbed(brush, colour, petal(0, 1.5, 0.75, 0.7))


def _leaflets(brush: Brush, colour: Colour) -> None:
    for x, turn in ((0.5, 0.8), (0.5, -0.8), (0.9, 0.6), (0.9, -0.6), (1.0, 0.0)):
        leaflet = brush.at(x, 0, 0.8, turn)
        _ribbed(leaflet, mixed(colour, (40, 80, 50), 0.5), petal(0, 0.9, 0.3))
    brush.line([(0, 0), (1.0, 0)], shaded(colour, 0.8), 0.05)


_FLOWERS = {
    "dandelion": Flower(
        blooms.DANDELION.colours,
        (blooms.dandelion, blooms.dandelion, blooms.puff),
        _lions_tooth,
        0.12,
    ),
    "daisy": Flower(blooms.DAISY.colours, (blooms.daisy,), _spoon, 0.1),
    "tulips": Flower(
        _TULIPS,
        (blooms.tulip, blooms.tulip, blooms.tulip, blooms.open_tulip),
        _sword,
        0.16,
    ),
    "sunflowers": Flower(blooms.SUNFLOWER.colours, (blooms.sunflower,), _heart, 0.16),
    "roses": Flower(
        _ROSES, (blooms.rose, blooms.rose, blooms.rose, blooms.rosebud), _leaflets, 0.1
    ),
}

CLASSES = tuple(_FLOWERS)
