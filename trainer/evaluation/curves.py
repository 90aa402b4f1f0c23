"""Precision over recall, and true over false positives, of one class against the rest."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ThresholdCounts:
    """What is accepted at each threshold: at all that tell scores apart, the highest first."""

    thresholds: np.ndarray
    """float32 [thresholds]: a score that is not below is accepted."""

    true_positives: np.ndarray
    """Their weight, float64 [thresholds]."""

    false_positives: np.ndarray
    positives: float
    """The weight of all that is right."""

    negatives: float
    """The weight of all that is wrong."""

    @property
    def precision(self) -> np.ndarray:
        """Of what is accepted the part that is right."""
        accepted = self.true_positives + self.false_positives
        return np.divide(self.true_positives, accepted, where=accepted > 0, out=accepted * 0 + 1)

    @property
    def recall(self) -> np.ndarray:
        """Of what is right the part that is accepted; 0 where nothing is right."""
        return self.true_positives / max(self.positives, np.finfo(float).tiny)

    @property
    def false_positive_rate(self) -> np.ndarray:
        """Of what is wrong the part that is accepted; 0 where nothing is wrong."""
        return self.false_positives / max(self.negatives, np.finfo(float).tiny)

    @property
    def average_precision(self) -> float:
        """The mean of the precision over the recall that each threshold adds."""
        gained = np.diff(self.recall, prepend=0.0)
        return float(gained @ self.precision)

    @property
    def area_under_roc(self) -> float:
        """How often what is right has the higher score, ties counting half."""
        rates = np.concatenate([[0.0], self.recall])
        steps = np.diff(self.false_positive_rate, prepend=0.0)
        return float(steps @ (rates[1:] + rates[:-1]) / 2)

    def at(self, thresholds: np.ndarray) -> ThresholdCounts:
        """The counts at other thresholds."""
        places = np.searchsorted(-self.thresholds, -thresholds, side="right")
        true, false = (
            np.append(0, counts)[places] for counts in (self.true_positives, self.false_positives)
        )
        return ThresholdCounts(thresholds, true, false, self.positives, self.negatives)


def threshold_counts(
    is_right: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> ThresholdCounts:
    """The counts at every threshold.

    Args:
        is_right: Whether each example should be accepted, bool [examples].
        scores: float32 [examples].
        weights: Of the examples, float32 [examples]; those of 0 do not count.
    """
    counted = np.flatnonzero(weights)
    order = counted[np.argsort(-scores[counted], kind="stable")]
    sorted_scores = scores[order]
    last_of_each = np.append(np.flatnonzero(np.diff(sorted_scores)), len(order) - 1)
    right = weights[order].astype(np.float64) * is_right[order]
    wrong = weights[order].astype(np.float64) * ~is_right[order]
    return ThresholdCounts(
        sorted_scores[last_of_each],
        right.cumsum()[last_of_each],
        wrong.cumsum()[last_of_each],
        float(right.sum()),
        float(wrong.sum()),
    )
