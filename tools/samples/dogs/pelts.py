"""Fur: limbs covered smooth, shaggy or curly, and the spots and patches on them."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from tools.samples.dogs.breeds import Fur
from tools.samples.drawing.canvas import Brush, Colour, Limb, model, shaded
from tools.samples.drawing.shapes import Points, curve, oval, rounded

_TUFTS = 45
_CURLS = 50


def within(spine: Points, count: int, random: Generator, reach: float = 1.0) -> Points:
    """Random places in a limb, up to `reach` of its half-width from its middle."""
    path = curve(spine)[random.integers(0, 6 * (len(spine) - 1) + 1, count)]
    angle, out = random.uniform(0, 2 * np.pi, count), reach * np.sqrt(random.uniform(0, 1, count))
    return path[:, :2] + path[:, 2:] * out[:, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=1
    )


def pelt(limbs: Sequence[Limb], colour: Colour, fur: Fur, random: Generator) -> None:
    """The limbs as one body, with its fur."""
    model(limbs, colour)
    for brush, spine in limbs:
        if fur == "shaggy":
            _shaggy(brush, spine, colour, random)
        elif fur == "curly":
            _curly(brush, spine, colour, random)


def spotted(brush: Brush, spine: Points, colour: Colour, random: Generator) -> None:
    """Small round spots all over the limb."""
    density = int(26 * len(spine))
    for x, y in within(spine, density, random, 0.92):
        brush.dot(x, y, random.uniform(0.008, 0.026), colour)


def patched(brush: Brush, spine: Points, colour: Colour, random: Generator) -> None:
    """A few large patches on the limb."""
    size = spine[:, 2].mean()
    for x, y in within(spine, 5, random, 0.5):
        corners = oval(x, y, size * random.uniform(0.4, 0.8), size * random.uniform(0.3, 0.5))[::4]
        brush.fill(rounded(corners + random.normal(0, 0.08 * size, corners.shape)), colour)


def _shaggy(brush: Brush, spine: Points, colour: Colour, random: Generator) -> None:
    length = 0.45 * spine[:, 2].mean()
    for x, y in within(spine, _TUFTS, random, 1.02):
        tone = shaded(colour, random.uniform(0.76, 1.14))
        fall = random.normal(-0.4, 0.3) * length
        brush.line([(x, y), (x + fall, y + length * random.uniform(0.6, 1.2))], tone, 0.1 * length)


def _curly(brush: Brush, spine: Points, colour: Colour, random: Generator) -> None:
    radius = 0.3 * spine[:, 2].mean()
    places = within(spine, _CURLS, random, 1.05)
    for x, y in places[np.argsort(places[:, 1])]:
        tone = random.uniform(0.82, 1.12)
        brush.dot(x, y, radius, shaded(colour, tone - 0.12))
        brush.dot(x, y - 0.15 * radius, 0.75 * radius, shaded(colour, tone))
