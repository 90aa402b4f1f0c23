"""How far a measure of a split may be from that of all data: intervals by bootstrap.

A resample draws as many examples as there are, with replacement: each counts as often as it was
drawn (Efron, 1979). The interval is what the middle 95 % of the resamples come to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

CONFIDENCE = 0.95
_MOST_RESAMPLES, _FEWEST_RESAMPLES, _EXAMPLES = 1000, 100, 2_000_000


def intervals(
    measure: Callable[[np.ndarray], Mapping[str, float]], weights: np.ndarray, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """The interval of each value that a measure gives, by name.

    Args:
        measure: From weights float32 [examples] to values by name.
        weights: Of the examples, float32 [examples].
        seed: What the resamples follow from.
    """
    random, examples = np.random.default_rng(seed), len(weights)
    resamples = min(max(_EXAMPLES // examples, _FEWEST_RESAMPLES), _MOST_RESAMPLES)
    each = np.full(examples, 1 / examples)
    found = [
        measure((weights * random.multinomial(examples, each)).astype(np.float32))
        for _ in range(resamples)
    ]
    return {name: _middle([values[name] for values in found]) for name in found[0]}


def _middle(values: list[float]) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
