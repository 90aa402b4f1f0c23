"""Horses of every coat, standing, walking, galloping, grazing or rearing."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from tools.samples.drawing.canvas import Brush, Colour, Limb, model, one_of, shaded, varied
from tools.samples.drawing.grounds import cast_shadow
from tools.samples.drawing.shapes import Points, curve, oval, petal, rounded


@dataclass(frozen=True)
class Coat:
    """A horse's colours."""

    body: Colour
    mane: Colour
    legs: Colour
    patch: Colour | None = None


_COATS = (
    Coat(body=(122, 70, 38), mane=(34, 26, 24), legs=(44, 32, 28)),  # bay
    Coat(body=(150, 80, 44), mane=(158, 92, 52), legs=(140, 74, 42)),  # chestnut
    Coat(body=(44, 38, 38), mane=(24, 22, 24), legs=(36, 32, 32)),  # black
    Coat(body=(206, 204, 200), mane=(228, 226, 222), legs=(170, 168, 166)),  # grey
    Coat(body=(212, 164, 96), mane=(240, 230, 206), legs=(206, 160, 100)),  # palomino
    Coat(body=(196, 160, 108), mane=(50, 40, 34), legs=(60, 48, 40)),  # buckskin
    Coat(body=(128, 74, 44), mane=(60, 40, 32), legs=(226, 222, 214), patch=(236, 232, 224)),
    Coat(body=(50, 44, 44), mane=(40, 36, 36), legs=(228, 226, 222), patch=(236, 234, 230)),
)


@dataclass(frozen=True)
class Gait:
    """How a horse carries itself; angles in radians, a leg's are (thigh, shin) from upright."""

    legs: tuple[tuple[float, float], ...]
    neck: float
    head: float
    rise: float = 0.0
    tail: float = 0.3


_GAITS = (
    Gait(legs=((0.0, 0.0), (0.06, 0.0), (0.05, -0.05), (-0.08, 0.02)), neck=0.9, head=-0.75),
    Gait(legs=((0.35, 0.15), (-0.3, -0.5), (0.3, -0.1), (-0.3, -0.4)), neck=0.75, head=-0.7),
    Gait(
        legs=((1.0, 0.5), (0.6, -0.6), (-0.5, -0.9), (-0.8, -1.2)),
        neck=0.55,
        head=-0.5,
        rise=0.05,
        tail=1.3,
    ),
    Gait(legs=((0.7, -0.9), (0.3, -1.2), (0.5, 0.1), (0.2, -0.4)), neck=0.8, head=-0.8, tail=0.9),
    Gait(legs=((0.15, 0.1), (-0.2, -0.1), (0.1, -0.1), (-0.15, -0.1)), neck=-0.62, head=-1.05),
    Gait(
        legs=((1.1, -0.5), (0.7, -0.9), (0.6, 0.4), (0.4, 0.2)),
        neck=0.9,
        head=-0.7,
        rise=0.6,
        tail=0.4,
    ),
)


def horse(brush: Brush, random: Generator) -> None:
    """A horse one unit high at the withers, facing right; (0, 0) is the middle of its barrel."""
    gait, coat = one_of(random, _GAITS), one_of(random, _COATS)
    coat = replace(coat, body=varied(coat.body, random), mane=varied(coat.mane, random))
    if gait.rise == 0:
        cast_shadow(brush, 0, 0.56, 0.6)
    body = brush.at(0, 0, 1, -gait.rise)
    legs = [_Leg(body, random, gait, number) for number in range(4)]
    for leg in legs[1::2]:
        leg.lower_half(coat.legs, 0.7)
        model([leg.upper_half()], shaded(coat.body, 0.7))
    _tail(body, random, gait, coat)
    for leg in legs[::2]:
        leg.lower_half(coat.legs, 1.0)
    _trunk(body, random, gait, coat, [leg.upper_half() for leg in legs[::2]])


class _Leg:
    """Legs 0 and 1 are the fore legs, 2 and 3 the hind legs; odd ones are on the far side."""

    def __init__(self, body: Brush, random: Generator, gait: Gait, number: int) -> None:
        thigh, shin = np.array(gait.legs[number]) + random.normal(0, 0.08, 2)
        hind = number >= 2
        hip = -0.4 if hind else 0.36
        self._thick, self._knee = (0.14, -0.03) if hind else (0.1, 0.0)
        x = hip + 0.06 * (number % 2)
        self._upper = body.at(x, 0.06, 1, -thigh + gait.rise * 0.5)
        self._lower = self._upper.at(self._knee, 0.28, 1, thigh - shin)

    def upper_half(self) -> Limb:
        """The thigh or forearm."""
        middle = (0.02 + self._knee / 2, 0.12, self._thick * 0.7)
        return self._upper, np.array([(0, -0.04, self._thick), middle, (self._knee, 0.28, 0.05)])

    def lower_half(self, colour: Colour, light: float) -> None:
        """Draws the shin and the hoof."""
        shin = np.array([(0, 0, 0.05), (0.01, 0.1, 0.034), (0, 0.2, 0.032), (0.03, 0.24, 0.04)])
        model([(self._lower, shin)], shaded(colour, light))
        hoof = np.array([(-0.025, 0.23), (0.05, 0.22), (0.085, 0.29), (-0.03, 0.29)])
        self._lower.fill(hoof, shaded((62, 52, 46), light))


def _tail(body: Brush, random: Generator, gait: Gait, coat: Coat) -> None:
    tail = body.at(-0.56, -0.16, 1, gait.tail + random.normal(0, 0.15))
    for lean in random.normal(0, 0.06, 9):
        strand = curve([(0, 0), (-0.07 + lean, 0.12), (-0.06 + lean, 0.34), (2 * lean, 0.52)])
        tail.line(strand, shaded(coat.mane, random.uniform(0.75, 1.15)), 0.045)


def _trunk(body: Brush, random: Generator, gait: Gait, coat: Coat, thighs: list[Limb]) -> None:
    """Barrel, neck and near thighs as one body, then what is on them."""
    carriage = gait.neck + random.normal(0, 0.1)
    along = np.array([np.cos(carriage), -np.sin(carriage)])
    poll = np.array([0.42, -0.14]) + 0.55 * along
    middle = np.array([0.42, -0.14]) + 0.3 * along + (0.02, -0.02)
    barrel = [
        (-0.46, -0.07, 0.17), (-0.25, -0.05, 0.22), (0, 0.0, 0.215), (0.25, -0.01, 0.22),
        (0.42, -0.03, 0.18),
    ]  # fmt: skip
    neck = [(0.36, -0.08, 0.19), (*middle, 0.12), (*poll, 0.085)]
    model([(body, np.array(barrel)), (body, np.array(neck)), *thighs], coat.body)
    if coat.patch:
        _patches(body, random, coat.patch)
    _mane(body, random, coat, np.array([(0.3, -0.24), middle, poll]), along)
    _head(body.at(poll[0], poll[1], turn=-gait.head + random.normal(0, 0.08)), random, coat)


def _patches(body: Brush, random: Generator, colour: Colour) -> None:
    for x in random.uniform(-0.45, 0.4, 4):
        corners = oval(x, random.uniform(-0.1, 0.1), 0.1, 0.08)[::4]
        body.fill(rounded(corners + random.normal(0, 0.02, corners.shape)), colour)


def _mane(body: Brush, random: Generator, coat: Coat, crest: Points, along: Points) -> None:
    """Locks along the crest of the neck that fall to one side."""
    back = np.array([along[1], -along[0]])
    for root in curve(crest)[1:]:
        start = root + back * random.uniform(0.07, 0.11)
        fall = start + np.array([-0.06, random.uniform(0.06, 0.2)])
        lock = curve([start + along * 0.03, start + back * 0.03 - along * 0.02, fall])
        body.line(lock, shaded(coat.mane, random.uniform(0.75, 1.15)), 0.055)


def _head(head: Brush, random: Generator, coat: Coat) -> None:
    """The head along its own x axis, from the poll to the muzzle."""
    for x, light in ((-0.03, 0.7), (0.02, 1.0)):
        head.at(x, -0.06, turn=-1.9).fill(petal(0, 0.16, 0.045), shaded(coat.body, light))
    skull = [(0, 0.0, 0.09), (0.1, 0.015, 0.1), (0.24, 0.0, 0.06), (0.36, 0.01, 0.058)]
    model([(head, np.array(skull))], coat.body)
    if random.random() < 0.4:
        head.line(curve([(0.08, -0.07), (0.2, -0.045), (0.33, -0.035)]), (236, 232, 226), 0.03)
    head.fill(oval(0.38, 0.015, 0.045, 0.055), shaded(coat.body, 0.55))
    head.dot(0.4, -0.005, 0.012, (20, 16, 16))
    head.line([(0.34, 0.045), (0.41, 0.04)], shaded(coat.body, 0.4), 0.012)
    head.dot(0.11, -0.025, 0.02, (16, 12, 12))
    head.dot(0.115, -0.03, 0.007, (220, 220, 220))
    forelock = curve([(-0.02, -0.09), (0.06, -0.08), (0.12, -0.04)])
    head.line(forelock, coat.mane, 0.035)
