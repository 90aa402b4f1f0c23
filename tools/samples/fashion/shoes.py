"""Shoes seen from the left, their toes to the left: x from -1 to 1, y from -1 at the top to 1."""

import numpy as np

from tools.samples.drawing.shapes import curve
from tools.samples.fashion.garments import Corners, Garment


def sneaker(g: Garment) -> None:
    """Low, on a flat sole, laced."""
    low = g.any(0.4, 0.55)
    mouth, tongue = low - g.any(0.5, 0.7), g.any(-0.05, 0.25)
    upper: Corners = [
        (-0.92, low), (-0.85, low - 0.25), (-0.4, low - g.any(0.3, 0.42)), (tongue, mouth - 0.05),
        (tongue + 0.15, mouth - 0.02), (0.6, mouth + 0.08), (0.85, mouth - g.any(0.0, 0.12)),
        (0.92, low),
    ]  # fmt: skip
    g.cloth(curve(upper))
    _sole(g, low, g.any(0.08, 0.16), heel=0.0)
    for x in np.linspace(-0.4, tongue, 4).tolist()[1:]:
        y = np.interp(x, [-0.4, tongue], [low - 0.35, mouth])
        g.seam([(x - 0.05, y), (x + 0.1, y + 0.14)], 0.5, 0.04)
    if g.perhaps(0.5):
        g.seam(
            curve([(-0.1, low - 0.1), (0.3, low - 0.2), (0.75, low - 0.4)]), g.any(0.3, 1.6), 0.07
        )


def ankle_boot(g: Garment) -> None:
    """A shaft above the ankle, on a heel."""
    low, shaft = g.any(0.55, 0.8), g.any(-0.9, -0.45)
    front, back = g.any(-0.1, 0.15), g.any(0.66, 0.82)
    upper: Corners = [
        (-0.9, low), (-0.84, low - 0.22), (-0.4, low - g.any(0.3, 0.42)),
        (front - 0.05, low - 0.65), (front, shaft), (back, shaft + g.any(-0.06, 0.06)),
        (back - 0.02, low - 0.5), (back + 0.06, low),
    ]  # fmt: skip
    g.cloth(np.asarray(upper))
    _sole(g, low, g.any(0.05, 0.12), heel=g.any(0.0, 0.2))
    if g.perhaps(0.5):
        x = g.any(front + 0.1, back - 0.1)
        g.seam([(x, shaft), (x + 0.05, low - 0.25)], 0.5, 0.05)
    if g.perhaps(0.3):
        g.seam([(front, shaft + 0.3), (back, shaft + 0.28)], 0.5, 0.06)


def sandal(g: Garment) -> None:
    """A sole, flat or on a heel, and straps with the foot's place empty between them."""
    low, heel = g.any(0.45, 0.7), g.any(0.0, 0.6)
    rise = low - heel
    bed = curve([(-0.92, low), (-0.4, low - 0.02), (0.2, low - 0.6 * heel), (0.9, rise)])
    thick = g.any(0.08, 0.2)
    below = bed[::-1] + np.array([0, thick])
    g.cloth(np.concatenate([bed, below]))
    if heel > 0.2:
        x = g.any(0.72, 0.82)
        g.cloth([(x - 0.08, rise + thick), (0.92, rise), (0.9, low + thick), (x, low + thick)])
    width = g.any(0.06, 0.14)
    toe = g.any(-0.7, -0.45)
    g.seam(curve([(toe - 0.15, low), (toe + 0.1, low - 0.3), (toe + 0.4, low - 0.1)]), 0.9, width)
    if g.perhaps(0.75):
        ankle = rise - g.any(0.35, 0.65)
        g.seam(curve([(0.25, low - 0.5 * heel), (0.4, ankle), (0.85, rise - 0.1)]), 0.9, width)
        g.seam(curve([(0.35, ankle + 0.05), (0.6, ankle), (0.88, rise)]), 0.9, width)
    if g.perhaps(0.5):
        g.seam([(toe + 0.1, low - 0.28), (0.35, rise - 0.4)], 0.9, width)


def _sole(g: Garment, low: float, thick: float, heel: float) -> None:
    tone = g.any(0.4, 1.4)
    g.cloth([(-0.92, low), (0.92, low), (0.9, low + thick), (-0.86, low + thick)], tone)
    g.cloth([(0.4, low), (0.9, low), (0.88, low + thick + heel), (0.46, low + thick + heel)], tone)
