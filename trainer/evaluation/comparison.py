"""Whether one of two classifiers is better, or only luckier on this split."""

from __future__ import annotations

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class McNemar:
    """McNemar's exact test (1947) of two classifiers on the same examples."""

    only_first_right: int
    only_second_right: int

    @property
    def p_value(self) -> float:
        """How probable so different numbers are, or more so, if both are equally good."""
        trials = self.only_first_right + self.only_second_right
        fewer = min(self.only_first_right, self.only_second_right)
        tail = sum(math.exp(_log_binomial(trials, k)) for k in range(fewer + 1))
        return min(1.0, 2 * tail)


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> McNemar:
    """The test, from what each has right: bool [examples]."""
    return McNemar(
        int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
    )


def _log_binomial(trials: int, successes: int) -> float:
    """The logarithm of the probability of so many successes, each as probable as not."""
    ways = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    )
    return ways - trials * math.log(2)
