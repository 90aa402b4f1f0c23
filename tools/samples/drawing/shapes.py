"""Outlines: every shape is an array of corners, one row (x, y) each, with y pointing down."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_STEPS_PER_CORNER = 6
_CAP_CORNERS = 7
_ROUND = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_ALONG = np.linspace(0, 1, 11)


def oval(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Points:
    """An ellipse about (x, y); width and height are its half-axes."""
    across, down = width * np.cos(_ROUND), height * np.sin(_ROUND)
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([x + across * cosine - down * sine, y + across * sine + down * cosine], axis=1)


def petal(start: float, end: float, width: float, fullness: float = 1.0) -> Points:
    """A petal or leaf along the x axis; a fullness above 1 is widest towards its end."""
    half = width * np.sqrt(np.sin(np.pi * _ALONG**fullness).clip(0)) * (0.35 + 0.65 * _ALONG)
    x = start + (end - start) * _ALONG
    upper, lower = np.stack([x, half], axis=1), np.stack([x, -half], axis=1)
    return np.concatenate([upper, lower[::-1]])


def toothed(leaf: Points, depth: float) -> Points:
    """The leaf with every second corner drawn in towards its rib, as a dandelion's is."""
    scale = np.where(np.arange(len(leaf)) % 2 == 0, 1.0, 1.0 - depth)
    return leaf * np.stack([np.ones_like(scale), scale], axis=1)


def curve(corners: Sequence[Sequence[float]] | Points) -> Points:
    """A smooth line through the corners (Catmull-Rom); any number of columns."""
    knots = np.asarray(corners, dtype=float)
    before = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    return np.concatenate([_between(before), knots[-1:]])


def rounded(corners: Sequence[Sequence[float]] | Points) -> Points:
    """A smooth closed outline through the corners."""
    knots = np.asarray(corners, dtype=float)
    return _between(np.concatenate([knots[-1:], knots, knots[:2]]))


def tube(spine: Sequence[Sequence[float]] | Points) -> Points:
    """The outline of a limb: rows (x, y, half-width) along its middle, with round ends."""
    path = curve(spine)
    middle, radius = path[:, :2], path[:, 2:]
    along = np.gradient(middle, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = along[:, ::-1] * (-1.0, 1.0)
    left, right = middle + across * radius, middle - across * radius
    end = _cap(middle[-1], across[-1] * radius[-1], along[-1] * radius[-1])
    start = _cap(middle[0], -across[0] * radius[0], -along[0] * radius[0])
    return np.concatenate([left, end, right[::-1], start])


def _between(knots: Points) -> Points:
    """The curve from the second knot up to the last but one."""
    step = np.arange(_STEPS_PER_CORNER)[:, None] / _STEPS_PER_CORNER
    first, second, third, fourth = (knots[i : len(knots) - 3 + i, None] for i in range(4))
    bend = 2 * first - 5 * second + 4 * third - fourth
    twist = 3 * (second - third) + fourth - first
    path = second + 0.5 * step * (third - first + step * (bend + step * twist))
    return path.reshape(-1, knots.shape[1])


def _cap(middle: Points, across: Points, along: Points) -> Points:
    angle = np.linspace(0, np.pi, _CAP_CORNERS)[1:-1, None]
    return middle + np.cos(angle) * across + np.sin(angle) * along
