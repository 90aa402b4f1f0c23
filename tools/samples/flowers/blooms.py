"""Blooms: the heads of the five flowers, each about (0, 0) with radius 1."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tools.samples.drawing.canvas import Brush, Colour, Span, chosen, shaded, varied
from tools.samples.drawing.shapes import curve, oval, petal, rounded

STEMS: tuple[Colour, ...] = ((84, 124, 58), (110, 140, 74), (64, 100, 56), (120, 116, 70))
_PUFF: Colour = (236, 236, 230)
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class Bloom:
    """One head to draw: the brush's (0, 0) is its middle and its radius is 1."""

    brush: Brush
    random: Generator
    colour: Colour


@dataclass(frozen=True)
class Rays:
    """A head of rays about a disc; lengths are shares of the head's radius."""

    petals: tuple[int, int]
    rings: int
    width: Span
    fullness: Span
    colours: tuple[Colour, ...]
    disc: Span
    discs: tuple[Colour, ...]


DANDELION = Rays(
    petals=(26, 36),
    rings=5,
    width=(0.06, 0.09),
    fullness=(1.6, 2.2),
    colours=((246, 208, 30), (250, 220, 60), (238, 184, 24)),
    disc=(0.06, 0.16),
    discs=((232, 170, 20), (214, 160, 40)),
)
DAISY = Rays(
    petals=(13, 25),
    rings=1,
    width=(0.1, 0.16),
    fullness=(1.2, 1.9),
    colours=(
        (246, 246, 242), (250, 248, 238), (240, 240, 246), (244, 214, 226), (248, 226, 120),
        (206, 170, 216),
    ),
    disc=(0.22, 0.38),
    discs=((244, 194, 40), (228, 168, 30), (206, 170, 50), (120, 84, 40)),
)  # fmt: skip
SUNFLOWER = Rays(
    petals=(17, 28),
    rings=2,
    width=(0.11, 0.18),
    fullness=(0.7, 1.1),
    colours=((250, 196, 24), (246, 212, 60), (236, 160, 24), (246, 226, 130), (216, 120, 44)),
    disc=(0.34, 0.6),
    discs=((74, 48, 30), (96, 66, 34), (52, 40, 34), (140, 124, 50), (170, 130, 50)),
)


def _rays(bloom: Bloom, rays: Rays) -> None:
    """Rings of petals from the outermost to the disc."""
    brush, random = bloom.brush, bloom.random
    width, fullness = random.uniform(*rays.width), random.uniform(*rays.fullness)
    count = int(random.integers(*rays.petals))
    for ring in range(rays.rings):
        reach = 1 - 0.8 * ring / max(rays.rings, 4)
        shape = petal(0.05, reach, width, fullness)
        for angle in np.arange(count) * 2 * np.pi / count:
            length = random.normal(1, 0.05)
            colour = shaded(bloom.colour, random.uniform(0.8, 1.05) + 0.03 * ring)
            one = brush.at(0, 0, 1, angle + random.normal(0, 0.06))
            one.fill(shape * (length, 1), colour)
            one.line([(0.2, 0), (0.8 * reach, 0)], shaded(colour, 0.85), 0.02)
    _disc(bloom, random.uniform(*rays.disc), chosen(random, rays.discs, 8))


def _disc(bloom: Bloom, radius: float, colour: Colour) -> None:
    """The florets in the middle, in the spiral in which they grow."""
    brush, random = bloom.brush, bloom.random
    brush.fill(oval(0, 0, radius, radius), shaded(colour, 0.7))
    brush.fill(oval(-0.03, -0.03, radius * 0.85, radius * 0.85), colour)
    florets = int(20 + 130 * radius)
    for number in range(florets):
        reach, angle = radius * np.sqrt(number / florets), number * _GOLDEN_ANGLE
        tone = random.uniform(0.75, 1.35)
        brush.dot(reach * np.cos(angle), reach * np.sin(angle), 0.028, shaded(colour, tone))


def dandelion(bloom: Bloom) -> None:
    """A dandelion in flower: nothing but narrow rays."""
    _rays(bloom, DANDELION)


def daisy(bloom: Bloom) -> None:
    """A daisy: one ring of rays about a yellow disc."""
    _rays(bloom, DAISY)


def sunflower(bloom: Bloom) -> None:
    """A sunflower: pointed rays about a broad dark disc."""
    _rays(bloom, SUNFLOWER)


def puff(bloom: Bloom) -> None:
    """A dandelion's seed head, whole or half blown away."""
    brush, random = bloom.brush, bloom.random
    blown = random.uniform(0.5, 2 * np.pi) if random.random() < 0.3 else 0.0
    for angle, reach in zip(
        random.uniform(blown, 2 * np.pi, 110), np.sqrt(random.uniform(0.2, 1, 110)), strict=True
    ):
        seed = brush.at(0, 0, 1, angle)
        tone = shaded(_PUFF, random.uniform(0.78, 1.0))
        seed.line([(0.1, 0), (reach * 0.8, 0)], shaded(tone, 0.85), 0.012)
        for spread in (-0.18, -0.09, 0, 0.09, 0.18):
            seed.line([(reach * 0.76, 0), (reach, spread)], tone, 0.02)
    brush.dot(0, 0, 0.12, varied((128, 108, 76), random))


def tulip(bloom: Bloom) -> None:
    """The cup from the side: two petals behind, one each side, one in front."""
    brush, random, colour = bloom.brush, bloom.random, bloom.colour
    flare = random.uniform(-0.12, 0.3)
    tip = random.uniform(0.0, 0.12)
    for side in (-0.35, 0.35):
        back = [(side, -1.05 + tip), (side + 0.35, -0.5), (side, 0.6), (side - 0.35, -0.5)]
        brush.fill(rounded(back), shaded(colour, 0.68))
    for mirrored in (False, True):
        half = brush.at(0, 0, 1, 0, 1, mirrored)
        edge = [
            (0.62 + flare, -1.0), (0.72 + 0.4 * flare, -0.3), (0.55, 0.45), (0.0, 0.82),
            (-0.1, 0.3), (0.2, -0.4),
        ]  # fmt: skip
        half.fill(rounded(edge), shaded(colour, 0.85 if mirrored else 0.95))
        half.line(curve([(0.5 + flare, -0.8), (0.5, -0.1), (0.2, 0.6)]), shaded(colour, 0.75), 0.03)
    front = [
        (0.0, -0.88 + tip),
        (0.36, -0.35),
        (0.36, 0.35),
        (0, 0.82),
        (-0.36, 0.35),
        (-0.36, -0.35),
    ]
    brush.fill(rounded(front), colour)
    brush.fill(rounded([(x * 0.6 - 0.08, y * 0.8) for x, y in front]), shaded(colour, 1.12))
    brush.line([(0, -0.5), (0, 0.6)], shaded(colour, 0.9), 0.03)


def open_tulip(bloom: Bloom) -> None:
    """The flower seen from above: two rings of three petals about a dark heart."""
    brush, random = bloom.brush, bloom.random
    for ring in range(2):
        for third in range(3):
            one = brush.at(0, 0, 1, (third + ring / 2) * 2 * np.pi / 3 + random.normal(0, 0.06))
            one.fill(petal(0, 1.1 - 0.1 * ring, 0.62, 1.0), shaded(bloom.colour, 0.75 + 0.2 * ring))
            one.fill(
                petal(0.2, 1.0 - 0.1 * ring, 0.4, 1.0), shaded(bloom.colour, 0.85 + 0.25 * ring)
            )
    heart = varied((60, 44, 52), random)
    brush.dot(0, 0, 0.26, heart)
    brush.dot(0, 0, 0.1, (206, 206, 120))
    for angle in np.arange(6) * np.pi / 3:
        brush.at(0, 0, 1, angle).line([(0.12, 0), (0.32, 0)], (226, 196, 90), 0.06)


def rose(bloom: Bloom) -> None:
    """Rings of round petals with bright edges, each smaller and deeper, about a spiral."""
    brush, random = bloom.brush, bloom.random
    turn = random.uniform(0, 2 * np.pi)
    for ring, count in enumerate((6, 5, 5, 4, 3)):
        out, size = 0.58 * 0.76**ring, 0.5 * 0.8**ring
        for angle in turn + np.arange(count) * 2 * np.pi / count + random.normal(0, 0.1, count):
            one = brush.at(0, 0, 1, angle)
            tone = random.uniform(0.88, 1.08) - 0.03 * ring
            one.fill(oval(out, 0, size * 0.86, size * 1.1), shaded(bloom.colour, tone - 0.36))
            one.fill(
                oval(out + 0.07 * size, 0, size * 0.84, size * 1.06), shaded(bloom.colour, tone)
            )
            inner = oval(out - 0.2 * size, 0.1 * size, size * 0.6, size * 0.8)
            one.fill(inner, shaded(bloom.colour, tone - 0.14))
        turn += 2.4 / count
    _spiral(bloom)


def _spiral(bloom: Bloom) -> None:
    angle = np.linspace(0, 4.5 * np.pi, 40)
    reach = 0.02 + 0.2 * angle / angle[-1]
    bloom.brush.dot(0, 0, 0.22, shaded(bloom.colour, 0.8))
    path = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)
    bloom.brush.line(path, shaded(bloom.colour, 0.5), 0.04)


def rosebud(bloom: Bloom) -> None:
    """A rose half open, from the side: petals wrapped about each other above green sepals."""
    brush, random, colour = bloom.brush, bloom.random, bloom.colour
    green = chosen(random, STEMS)
    for turn in (0.35, 1.1, 2.05, 2.8):
        sepal = brush.at(0, 0.7, 0.75, turn + random.normal(0, 0.15))
        sepal.fill(petal(0, 1, 0.16), shaded(green, random.uniform(0.7, 1.1)))
    for side, tone in ((-1, 0.7), (1, 0.76)):
        outer = [(0.2, -0.5), (0.85, -0.55), (0.95, -0.2), (0.6, 0.6), (0.0, 0.85)]
        brush.at(0, 0, mirrored=side < 0).fill(rounded(outer), shaded(colour, tone))
    brush.fill(oval(0, 0.0, 0.68, 0.82), shaded(colour, 0.86))
    _spiral(Bloom(brush.at(0, -0.45, 2.4, squash=0.55), random, colour))
    for side, tone in ((-1, 0.98), (1, 1.06)):
        fold = [(-0.62, -0.2), (0.1, -0.12), (0.7, -0.42), (0.68, 0.1), (0.35, 0.7), (-0.2, 0.8)]
        half = brush.at(0, 0.04 * side, mirrored=side < 0)
        half.fill(rounded(fold), shaded(colour, tone))
        half.line(curve(fold[:3]), shaded(colour, tone + 0.15), 0.05)
        half.line(curve(fold[2:5]), shaded(colour, 0.7), 0.03)
