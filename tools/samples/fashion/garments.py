"""What every garment is drawn with: its cloth, its seams, and halves that are mirrored."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tools.samples.drawing.canvas import Brush
from tools.samples.drawing.grey import grey
from tools.samples.drawing.shapes import Points

Corners = list[tuple[float, float]]


@dataclass(frozen=True)
class Garment:
    """One garment on its way into a frame from (-1, -1) to (1, 1)."""

    brush: Brush
    random: Generator
    light: float
    """How light its cloth is, from 0 to 1."""

    def cloth(self, outline: Corners | Points, tone: float = 1.0) -> None:
        """Fills an outline with the cloth, darker by a tone below 1."""
        self.brush.fill(np.asarray(outline), grey(self.light * tone))

    def mirrored(self, half: Corners, tone: float = 1.0) -> None:
        """Fills an outline given by its right half, from the top to the bottom."""
        right = np.asarray(half)
        self.cloth(np.concatenate([right, right[::-1] * (-1, 1)]), tone)

    def seam(self, path: Corners | Points, tone: float = 0.6, width: float = 0.05) -> None:
        """Draws a line in the cloth."""
        self.brush.line(path, grey(self.light * tone), width)

    def seams(self, path: Corners, tone: float = 0.6, width: float = 0.05) -> None:
        """Draws a line of the right half on both sides."""
        self.seam(path, tone, width)
        self.seam(np.asarray(path) * (-1, 1), tone, width)

    def any(self, least: float, most: float) -> float:
        """A number between two."""
        return float(self.random.uniform(least, most))

    def perhaps(self, share: float) -> bool:
        """True in this share of the pictures."""
        return bool(self.random.random() < share)
