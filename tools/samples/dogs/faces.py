"""Dogs' faces from the front, and the ears that they share with the view from the side."""

import numpy as np
from numpy.random import Generator

from tools.samples.dogs.breeds import BLACK, Breed, Ear, WornCoat
from tools.samples.dogs.pelts import pelt, spotted
from tools.samples.drawing.canvas import Brush, Colour, mixed, shaded
from tools.samples.drawing.shapes import curve, oval, rounded

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
_UPRIGHT: tuple[Ear, ...] = ("prick", "bat", "folded", "rose")
_INNER_EAR: Colour = (200, 150, 136)
_CURLS = np.array([(0.1, 0.1, 0.23), (0.25, 0.6, 0.32), (0.27, 1.1, 0.35)])
_TONGUE: Colour = (214, 110, 120)


def dog_face(brush: Brush, breed: Breed, coat: WornCoat, random: Generator) -> None:
    """The head from the front, one unit its half-width, above neck and chest."""
    _chest(brush, breed, coat, random)
    upright = breed.ear in _UPRIGHT
    if upright:
        _ears(brush, breed, coat.ears, random)
    narrow = 0.72 + 1.4 * (breed.skull - 0.11)
    skull = np.array([(0, -0.3, 0.86 * narrow), (0, 0.0, 0.92 * narrow), (0, 0.3, 0.7 * narrow)])
    pelt([(brush, skull)], coat.face, breed.fur, random)
    if coat.marks.blaze:
        stripe = np.array([(0, -0.9, 0.09), (0, -0.4, 0.12), (0, 0.2, 0.24)])
        pelt([(brush, stripe)], coat.marks.blaze, "smooth", random)
    if coat.marks.spots:
        spotted(brush.at(0, 0, 3), skull / 3, coat.marks.spots, random)
    _muzzle(brush, breed, coat, random)
    _eyes(brush.at(0, -0.12, narrow), breed, coat.face)
    if not upright:
        _ears(brush, breed, coat.ears, random)
    if breed.fur == "curly":
        topknot = np.array([(-0.2, -0.85, 0.4), (0.2, -0.85, 0.4)])
        pelt([(brush, topknot)], coat.body, breed.fur, random)


def ear(brush: Brush, breed: Breed, colour: Colour, random: Generator) -> None:
    """An ear about its root, the skull's radius being 1, that leans to the right."""
    outline = rounded(_EARS[breed.ear]) * breed.ear_size
    brush.fill(outline * 1.04, shaded(colour, 0.7))
    brush.fill(outline * 0.9, shaded(colour, 0.92))
    if breed.ear in ("prick", "bat"):
        brush.fill(outline * (0.55, 0.7), mixed(_INNER_EAR, colour, 0.35))
    if breed.fur == "curly":
        pelt([(brush, _CURLS)], colour, breed.fur, random)


def _chest(brush: Brush, breed: Breed, coat: WornCoat, random: Generator) -> None:
    wide = 0.55 + 1.6 * (breed.waist - 0.1)
    neck = np.array([(0, 0.5, 0.5 * wide + 0.2), (0, 1.3, wide), (0, 3.0, 1.3 * wide)])
    pelt([(brush, neck)], coat.marks.back or coat.body, breed.fur, random)
    if coat.marks.chest:
        front = np.array([(0, 0.7, 0.3 * wide), (0, 1.3, 0.5 * wide), (0, 3.0, 0.7 * wide)])
        pelt([(brush, front)], coat.marks.chest, breed.fur, random)
    if coat.marks.spots:
        spotted(brush.at(0, 0, 3), neck / 3, coat.marks.spots, random)


def _ears(brush: Brush, breed: Breed, colour: Colour, random: Generator) -> None:
    x, y = (0.42, -0.72) if breed.ear in _UPRIGHT else (0.62, -0.5)
    for side in (-1, 1):
        turn = side * random.normal(0, 0.1)
        ear(brush.at(side * x, y, 0.95, turn, mirrored=side < 0), breed, colour, random)


def _muzzle(brush: Brush, breed: Breed, coat: WornCoat, random: Generator) -> None:
    """Muzzle, nose and mouth; a long muzzle reaches lower in this view."""
    colour, wide, low = coat.muzzle, 1.6 * breed.snout / breed.skull, 2 * breed.muzzle
    rows = np.array([(0, 0.2, 0.55 * wide), (0, 0.34 + 0.5 * low, 0.5 * wide)])
    pelt([(brush, rows)], colour, "smooth", random)
    if random.random() < 0.35:
        brush.fill(oval(0, 0.5 + 0.5 * low + 0.4 * wide, 0.13, 0.24), _TONGUE)
    line = shaded(colour, 0.45)
    mouth = 0.36 + 0.5 * low
    for side in (-1, 1):
        lip = [(0, mouth), (side * 0.2 * wide, mouth + 0.16), (side * 0.42 * wide, mouth + 0.08)]
        brush.line(curve(lip), line, 0.035)
    brush.fill(oval(0, mouth - 0.14, 0.19, 0.13), (24, 20, 22))
    brush.fill(oval(-0.05, mouth - 0.19, 0.06, 0.03), (120, 116, 120))
    brush.line([(0, mouth - 0.05), (0, mouth)], line, 0.035)


def _eyes(brush: Brush, breed: Breed, face: Colour) -> None:
    size = 0.1 + 0.35 * (breed.skull - 0.1)
    for side in (-1, 1):
        brush.fill(oval(side * 0.38, 0, size * 1.45, size * 1.25), shaded(face, 0.6))
        brush.dot(side * 0.38, 0, size, (74, 46, 28))
        brush.dot(side * 0.38, 0, size * 0.65, BLACK)
        brush.dot(side * 0.38 - 0.03, -0.035, size * 0.28, (244, 244, 244))
        brow = curve([(side * 0.5, -0.17), (side * 0.38, -0.22), (side * 0.26, -0.17)])
        brush.line(brow, shaded(face, 0.8), 0.05)
