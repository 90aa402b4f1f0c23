"""Dogs' ears: one drawing for the side view and for the face."""

import numpy as np
from numpy.random import Generator

from tools.samples.breeds import Breed, Ear
from tools.samples.canvas import Brush, Colour, mixed, shaded
from tools.samples.pelts import pelt
from tools.samples.shapes import rounded

_EARS: dict[Ear, tuple[tuple[float, float], ...]] = {
    "drop": ((-0.12, -0.1), (0.25, -0.1), (0.46, 0.35), (0.34, 0.85), (0.1, 0.8), (-0.02, 0.35)),
    "long": ((-0.12, -0.05), (0.2, -0.05), (0.48, 0.5), (0.46, 1.15), (0.14, 1.25), (-0.04, 0.6)),
    "prick": ((-0.3, 0.2), (-0.18, -0.35), (0.1, -0.85), (0.26, -0.3), (0.3, 0.25)),
    "bat": ((-0.35, 0.15), (-0.05, -0.5), (0.5, -0.95), (0.56, -0.3), (0.4, 0.35)),
    "folded": (
        (-0.3, 0.15),
        (-0.12, -0.45),
        (0.14, -0.5),
        (0.46, -0.12),
        (0.16, -0.12),
        (0.2, 0.2),
    ),
    "rose": ((-0.2, 0.02), (0.05, -0.28), (0.5, -0.2), (0.62, 0.05), (0.2, 0.2)),
    "button": ((-0.22, -0.05), (0.1, -0.22), (0.36, 0.0), (0.34, 0.42), (0.08, 0.3)),
}
UPRIGHT: tuple[Ear, ...] = ("prick", "bat", "folded", "rose")
_INNER_EAR: Colour = (200, 150, 136)
_CURLS = np.array([(0.1, 0.1, 0.23), (0.25, 0.6, 0.32), (0.27, 1.1, 0.35)])


def ear(brush: Brush, breed: Breed, colour: Colour, random: Generator) -> None:
    """An ear about its root, the skull's radius being 1, that leans to the right."""
    outline = rounded(_EARS[breed.ear]) * breed.ear_size
    brush.fill(outline * 1.04, shaded(colour, 0.7))
    brush.fill(outline * 0.9, shaded(colour, 0.92))
    if breed.ear in ("prick", "bat"):
        brush.fill(outline * (0.55, 0.7), mixed(_INNER_EAR, colour, 0.35))
    if breed.fur == "curly":
        pelt([(brush, _CURLS)], colour, breed.fur, random)
