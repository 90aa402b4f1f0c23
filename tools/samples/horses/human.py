"""Humans: people of every look, standing, walking, running, waving, sitting or in portrait."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tools.samples.drawing.canvas import Brush, Colour, chosen, mixed, model, one_of, shaded
from tools.samples.drawing.grounds import cast_shadow
from tools.samples.drawing.shapes import Points, curve, oval, rounded

_SKINS: tuple[Colour, ...] = (
    (242, 208, 180), (224, 180, 144), (198, 150, 110), (156, 106, 74), (112, 74, 52), (82, 54, 42)
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (34, 26, 24), (66, 44, 30), (110, 70, 40), (204, 168, 100), (170, 80, 40), (180, 178, 174)
)  # fmt: skip
_TOPS: tuple[Colour, ...] = (
    (190, 50, 54), (50, 90, 160), (230, 226, 218), (60, 120, 80), (226, 180, 70), (60, 60, 66),
    (150, 100, 160), (122, 70, 38), (206, 164, 110),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = (
    (54, 70, 110), (44, 44, 50), (140, 120, 90), (90, 96, 84), (180, 176, 170), (122, 70, 38)
)  # fmt: skip
_SHOES: tuple[Colour, ...] = ((40, 34, 32), (220, 218, 214), (120, 70, 44), (170, 50, 50))


@dataclass(frozen=True)
class Pose:
    """Angles in radians from hanging straight down, forwards positive: (upper, lower)."""

    arms: tuple[tuple[float, float], tuple[float, float]]
    legs: tuple[tuple[float, float], tuple[float, float]]
    lean: float = 0.0
    drop: float = 0.0


_POSES = (
    Pose(arms=((-0.15, 0.05), (0.2, 0.3)), legs=((-0.06, -0.06), (0.1, 0.08))),
    Pose(arms=((0.5, 0.8), (-0.5, -0.2)), legs=((0.45, 0.2), (-0.35, -0.6)), lean=0.05),
    Pose(arms=((0.9, 2.2), (-0.9, 0.3)), legs=((0.9, -0.3), (-0.5, -1.4)), lean=0.22),
    Pose(arms=((2.5, 2.9), (-0.2, 0.1)), legs=((0.08, 0.06), (-0.1, -0.1))),
    Pose(arms=((2.6, 2.8), (-2.6, -2.9)), legs=((0.3, 0.2), (-0.3, -0.25))),
    Pose(arms=((0.5, -0.8), (-0.5, 0.8)), legs=((0.15, 0.1), (-0.15, -0.1))),
    Pose(arms=((0.5, 1.2), (0.3, 1.0)), legs=((1.45, 0.1), (1.3, -0.05)), drop=0.2),
)


@dataclass(frozen=True)
class Look:
    """What one person looks like."""

    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    shoes: Colour
    long_hair: bool
    long_sleeves: bool
    skirt: bool
    hat: bool
    build: float


def human(brush: Brush, random: Generator) -> None:
    """A person one unit and a bit high; (0, 0) is the middle of the body."""
    pose, look = one_of(random, _POSES), _look(random)
    cast_shadow(brush, 0.06, 0.78 - pose.drop, 0.3)
    body = brush.at(0, pose.drop, 1)
    angles = np.array([pose.arms, pose.legs]) + random.normal(0, 0.12, (2, 2, 2))
    torso = body.at(0, 0.06, 1, pose.lean + random.normal(0, 0.04))
    _arm(torso, look, angles[0, 1], -0.12, 0.8)
    if look.long_hair:
        _long_hair(torso, look)
    for side, hip, light in ((1, -0.05, 0.8), (0, 0.05, 1.0)):
        _leg(body, look, angles[1, side], hip, light)
    _torso(torso, look)
    _head(torso.at(0.0, -0.6, 1, random.normal(0, 0.12)), random, look)
    _arm(torso, look, angles[0, 0], 0.12, 1.0)


def _look(random: Generator) -> Look:
    return Look(
        skin=chosen(random, _SKINS),
        hair=chosen(random, _HAIRS),
        top=chosen(random, _TOPS, 16),
        trousers=chosen(random, _TROUSERS, 14),
        shoes=chosen(random, _SHOES),
        long_hair=random.random() < 0.45,
        long_sleeves=random.random() < 0.5,
        skirt=random.random() < 0.25,
        hat=random.random() < 0.2,
        build=random.uniform(0.85, 1.3),
    )


def _limb(brush: Brush, radii: tuple[float, float], length: float, colour: Colour) -> None:
    """A straight limb that hangs from the brush's (0, 0)."""
    middle = (radii[0] + radii[1]) / 2
    rows = [(0, 0, radii[0]), (0, length / 2, middle), (0, length, radii[1])]
    model([(brush, np.array(rows))], colour, (-0.6, -0.4))


def _arm(torso: Brush, look: Look, angles: Points, x: float, light: float) -> None:
    upper = torso.at(x * look.build, -0.4, 1, -angles[0])
    sleeve, skin = shaded(look.top, light), shaded(look.skin, light)
    lower = upper.at(0, 0.24, 1, angles[0] - angles[1])
    _limb(lower, (0.04, 0.03), 0.22, sleeve if look.long_sleeves else skin)
    lower.fill(oval(0, 0.25, 0.035, 0.045), skin)
    _limb(upper, (0.058 * look.build, 0.045), 0.24, sleeve)


def _leg(body: Brush, look: Look, angles: Points, hip: float, light: float) -> None:
    cloth = shaded(look.skin if look.skirt else look.trousers, light)
    upper = body.at(hip, 0.06, 1, -angles[0])
    lower = upper.at(0, 0.34, 1, angles[0] - angles[1])
    shoe = [(-0.05, 0.33), (0.03, 0.31), (0.14, 0.37), (0.13, 0.4), (-0.05, 0.4)]
    lower.fill(np.array(shoe), shaded(look.shoes, light))
    _limb(lower, (0.06, 0.042), 0.33, cloth)
    _limb(upper, (0.088 * look.build, 0.064), 0.34, cloth)


def _torso(torso: Brush, look: Look) -> None:
    """Shirt and, below it, a skirt if one is worn; the neck stands out above."""
    wide = look.build
    _limb(torso.at(0, -0.5), (0.045, 0.06), 0.12, look.skin)
    if look.skirt:
        hem = np.array([(-0.11 * wide, -0.04), (0.11 * wide, -0.04), (0.21, 0.26), (-0.21, 0.26)])
        torso.fill(hem, shaded(look.trousers, 0.85))
        torso.fill(hem * (0.6, 1) - (0.04, 0), look.trousers)
    shirt = [
        (0, -0.44), (0.13 * wide, -0.42), (0.16 * wide, -0.34), (0.12 * wide, -0.12),
        (0.125 * wide, 0.06), (0, 0.08), (-0.125 * wide, 0.06), (-0.12 * wide, -0.12),
        (-0.16 * wide, -0.34), (-0.13 * wide, -0.42),
    ]  # fmt: skip
    outline = rounded(shirt)
    torso.fill(outline, shaded(look.top, 0.78))
    torso.fill(outline * (0.78, 0.96) - (0.025, 0.01), look.top)
    torso.fill(oval(-0.05, -0.3, 0.06, 0.09), shaded(look.top, 1.08))
    torso.line([(0, -0.36), (0.005, 0.04)], shaded(look.top, 0.7), 0.008)


def _long_hair(torso: Brush, look: Look) -> None:
    fall = [(-0.1, -0.68), (0.1, -0.68), (0.14, -0.4), (0.08, -0.32), (-0.1, -0.3), (-0.15, -0.42)]
    torso.fill(rounded(fall), shaded(look.hair, 0.85))


def _head(head: Brush, random: Generator, look: Look) -> None:
    """The face from the front, its features a little to the side it looks to."""
    head.fill(oval(0, -0.035, 0.112, 0.125), look.hair)
    head.fill(oval(0, 0, 0.092, 0.118), shaded(look.skin, 0.88))
    head.fill(oval(-0.008, -0.004, 0.082, 0.108), look.skin)
    _face(head.at(random.uniform(-0.03, 0.03), 0), random, look)
    parting = random.uniform(-0.05, 0.05)
    crown = [(-0.105, 0.0), (-0.1, -0.1), (0, -0.155), (0.1, -0.1), (0.105, 0.0)]
    head.fill(rounded([*crown, (parting, -0.075)]), look.hair)
    head.line(curve([(-0.07, -0.09), (0, -0.13), (0.06, -0.1)]), shaded(look.hair, 1.2), 0.012)
    if look.hat:
        head.fill(rounded([(-0.1, -0.07), (-0.08, -0.17), (0.08, -0.17), (0.1, -0.07)]), look.top)
        head.fill(oval(0, -0.075, 0.17, 0.022), shaded(look.top, 0.75))


def _face(face: Brush, random: Generator, look: Look) -> None:
    cheeks = mixed(look.skin, (220, 90, 80), 0.2)
    for side in (-1, 1):
        face.dot(side * 0.05, 0.035, 0.016, cheeks)
        face.fill(oval(side * 0.034, -0.002, 0.015, 0.011), (240, 238, 234))
        face.dot(side * 0.034, -0.002, 0.009, (40, 30, 26))
        brow = [(side * 0.05, -0.024), (side * 0.03, -0.03), (side * 0.018, -0.026)]
        face.line(brow, shaded(look.hair, 0.8), 0.008)
    face.line([(0.0, 0.0), (0.01, 0.028), (-0.004, 0.032)], shaded(look.skin, 0.72), 0.007)
    smile = random.uniform(0.0, 0.02)
    mouth = curve([(-0.03, 0.056), (0, 0.056 + smile), (0.03, 0.056)])
    face.line(mouth, (160, 70, 70), 0.01)
