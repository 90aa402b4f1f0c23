"""The most similar examples of each, by the cosine of their features."""

from __future__ import annotations

import dataclasses

import numpy as np

NEIGHBOURS = 20
"""So many count for how far an example is from others."""

FENCE = 1.5
"""Tukey's, in quartile ranges beyond the upper quartile (Exploratory Data Analysis, 1977)."""

_BLOCK = 1024


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """How similar examples are to each other, all against all."""

    pairs: np.ndarray
    """The positions of near-duplicates, int [pairs, 2], the most similar first."""

    cosines: np.ndarray
    """Of these pairs, float32 [pairs]."""

    distances: np.ndarray
    """One less the mean cosine of each example to its nearest, float32 [examples]."""

    @property
    def odd_ones(self) -> np.ndarray:
        """The positions of the examples that are far from all others, the farthest first."""
        lower, upper = np.quantile(self.distances, [0.25, 0.75])
        far = np.flatnonzero(self.distances > upper + FENCE * (upper - lower))
        return far[np.argsort(-self.distances[far], kind="stable")]


def find_neighbours(features: np.ndarray, similarity: float) -> Neighbours:
    """Compare all examples; time grows with their square, memory does not.

    Args:
        features: float32 [examples, width].
        similarity: The cosine from which on a pair is one of near-duplicates.
    """
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    nearest = min(NEIGHBOURS, len(unit) - 1)
    pairs, cosines, distances = [], [], []
    for first in range(0, len(unit), _BLOCK):
        block = unit[first : first + _BLOCK] @ unit.T
        rows = np.arange(len(block))
        block[rows, first + rows] = -1  # itself
        distances.append(1 - np.partition(block, -nearest, axis=1)[:, -nearest:].mean(axis=1))
        row, column = np.nonzero(block >= similarity)
        once = first + row < column
        pairs.append(np.stack([first + row[once], column[once]], axis=1))
        cosines.append(block[row[once], column[once]])
    found, of_pairs = np.concatenate(pairs), np.concatenate(cosines)
    order = np.argsort(-of_pairs, kind="stable")
    return Neighbours(found[order], of_pairs[order], np.concatenate(distances))
