"""Clothes laid flat, and a bag: x from -1 to 1, y from -1 at the top to 1."""

from dataclasses import dataclass

import numpy as np

from tools.samples.drawing.grey import grey
from tools.samples.drawing.shapes import curve
from tools.samples.fashion.garments import Corners, Garment


@dataclass(frozen=True)
class Cut:
    """How the upper half of a body is clad; every measure is one of the right half."""

    neck: float
    shoulder: float
    chest: float
    hem: float
    bottom: float
    sleeve: float
    """How long."""
    spread: float
    """How far it stands off, in radians from hanging straight down."""
    cuff: float


def t_shirt(g: Garment) -> None:
    """Short sleeves, a round neck, a print on some."""
    _top(g, _cut(g, sleeve=g.any(0.3, 0.55), spread=g.any(0.6, 1.1), cuff=g.any(0.24, 0.34)))
    _round_neck(g)
    if g.perhaps(0.4):
        _print(g)


def pullover(g: Garment) -> None:
    """Long sleeves, a round neck, ribs at the hem."""
    cut = _cut(g, sleeve=g.any(1.1, 1.5), spread=g.any(0.12, 0.4), cuff=g.any(0.16, 0.22))
    _top(g, cut)
    _round_neck(g)
    for row in range(2):
        y = cut.bottom - 0.07 - 0.07 * row
        g.seam([(-cut.hem, y), (cut.hem, y)], 0.75, 0.03)
    if g.perhaps(0.3):
        _print(g)


def coat(g: Garment) -> None:
    """Long sleeves, lapels, open all the way down the front."""
    cut = _cut(g, sleeve=g.any(1.25, 1.55), spread=g.any(0.08, 0.3), cuff=g.any(0.18, 0.24))
    _top(g, cut)
    depth = g.any(-0.5, 0.1)
    g.seam([(0, depth), (g.any(-0.04, 0.04), cut.bottom)], 0.25, g.any(0.04, 0.1))
    g.seams([(cut.neck, -0.85), (0.02, depth)], 0.4, 0.07)
    if g.perhaps(0.6):
        g.seams([(0.14, 0.35), (0.34, 0.3)], 0.45, 0.05)


def shirt(g: Garment) -> None:
    """Sleeves of any length, a collar, buttons."""
    long = g.perhaps(0.6)
    sleeve, spread = (g.any(1.1, 1.45), g.any(0.1, 0.4)) if long else (0.42, g.any(0.6, 0.9))
    cut = _cut(g, sleeve=sleeve, spread=spread, cuff=0.18 if long else 0.27)
    _top(g, cut)
    g.mirrored([(0, -0.66), (cut.neck + 0.06, -0.92), (cut.neck + 0.08, -0.74)], 1.25)
    g.seam([(0, -0.66), (0, cut.bottom)], 0.7, 0.03)
    for y in np.arange(-0.5, cut.bottom - 0.1, g.any(0.22, 0.36)).tolist():
        g.seam([(0.03, y), (0.03, y + 0.05)], 0.3, 0.06)


def dress(g: Garment) -> None:
    """A narrow waist and a skirt; short sleeves or none."""
    waist, flare, top = g.any(0.16, 0.26), g.any(0.26, 0.62), g.any(0.22, 0.32)
    half: Corners = [
        (0.0, g.any(-0.75, -0.55)), (top - 0.08, -0.94), (top, -0.94), (top - 0.03, -0.5),
        (waist, g.any(-0.25, 0.0)), (0.5 * (waist + flare), 0.4), (flare, 0.93), (0, 0.96),
    ]  # fmt: skip
    if g.perhaps(0.45):
        reach = g.any(0.18, 0.5)
        g.mirrored(
            [(top - 0.1, -0.94), (top + reach, -0.55), (top + reach - 0.14, -0.4), (0.15, -0.5)],
            0.9,
        )
    g.mirrored(half)
    if g.perhaps(0.5):
        g.seam([(-waist, -0.15), (waist, -0.15)], 0.5, 0.06)


def trouser(g: Garment) -> None:
    """Two legs below a waistband."""
    waist, hip, ankle = g.any(0.24, 0.34), g.any(0.3, 0.4), g.any(0.28, 0.48)
    gap, crotch = g.any(0.0, 0.2), g.any(-0.45, -0.2)
    inner = max(gap, ankle - g.any(0.2, 0.34))
    g.mirrored(
        [(0, -0.94), (waist, -0.94), (hip, -0.5), (ankle, 0.95), (inner, 0.95), (0.02, crotch)]
    )
    g.seam([(-waist, -0.84), (waist, -0.84)], 0.6, 0.04)
    g.seam([(0, -0.84), (0, crotch)], 0.6, 0.03)


def bag(g: Garment) -> None:
    """A body, a handle above it on most, a flap or a clasp on some."""
    width, top, bottom = g.any(0.6, 0.95), g.any(-0.5, 0.0), g.any(0.5, 0.85)
    slope = g.any(-0.12, 0.15)
    if g.perhaps(0.8):
        reach, height = g.any(0.2, 0.6) * width, max(top - g.any(0.3, 0.9), -0.95)
        handle = curve([(-reach, top), (-0.7 * reach, height), (0.7 * reach, height), (reach, top)])
        g.seam(handle, g.any(0.6, 1.1), g.any(0.06, 0.14))
    g.mirrored(
        [(0, top), (width - slope, top), (width, bottom - 0.1), (width - 0.08, bottom), (0, bottom)]
    )
    if g.perhaps(0.5):
        flap = g.any(0.3, 0.7) * (bottom - top) + top
        g.seam(curve([(slope - width, top), (0, flap), (width - slope, top)]), 0.55, 0.05)
    if g.perhaps(0.4):
        g.brush.dot(0, 0.5 * (top + bottom), 0.08, grey(0.92))


def _cut(g: Garment, sleeve: float, spread: float, cuff: float) -> Cut:
    chest = g.any(0.36, 0.48)
    return Cut(
        neck=g.any(0.12, 0.24),
        shoulder=chest + g.any(0.0, 0.06),
        chest=chest,
        hem=chest + g.any(-0.06, 0.06),
        bottom=g.any(0.72, 0.95),
        sleeve=sleeve,
        spread=spread,
        cuff=cuff,
    )


def _top(g: Garment, cut: Cut) -> None:
    """Sleeves, then the body over them."""
    along = np.array([np.sin(cut.spread), np.cos(cut.spread)])
    inwards = np.array([-along[1], along[0]])
    shoulder = np.array([cut.shoulder, -0.76])
    outer = shoulder + cut.sleeve * along
    inner = outer + cut.cuff * inwards
    sleeve: Corners = [tuple(p) for p in (shoulder, outer, inner, (cut.chest, -0.3), (0.2, -0.7))]
    for side in (-1, 1):
        g.cloth(np.asarray(sleeve) * (side, 1), 0.82)
    g.mirrored(
        [
            (0, -0.8),
            (cut.neck, -0.9),
            tuple(shoulder),
            (cut.chest, -0.35),
            (cut.hem, cut.bottom),
            (0, cut.bottom + 0.02),
        ]
    )


def _round_neck(g: Garment) -> None:
    width, depth = g.any(0.14, 0.26), g.any(-0.78, -0.55)
    g.seam(curve([(-width, -0.9), (0, depth), (width, -0.9)]), 0.5, 0.06)


def _print(g: Garment) -> None:
    """A picture on the chest, lighter or darker than the cloth."""
    width, height, tone = g.any(0.08, 0.26), g.any(0.06, 0.26), g.any(0.2, 1.8)
    y = g.any(-0.3, 0.15)
    g.mirrored([(0, y - height), (width, y - height), (width, y + height), (0, y + height)], tone)
