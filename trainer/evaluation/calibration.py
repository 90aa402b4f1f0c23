"""Whether a probability of 0.8 is right eight times in ten, and the temperature that helps.

Temperature scaling (Guo et al., arXiv 1706.04599) divides all logits by one number, fitted on the
validation split: the most probable class stays the same.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.evaluation.outputs import Output

BINS = 15
"""As in the paper."""

MIN_INVERSE, MAX_INVERSE = 1 / 50, 50.0
"""The bounds of 1 / temperature."""

_ITERATIONS = 30
"""Of the bisection: each halves what is left of the range, on a logarithmic scale."""


@dataclasses.dataclass(frozen=True)
class Reliability:
    """Of each bin of confidence that has examples: what was said, and what was so."""

    confidence: np.ndarray
    """The mean of the probabilities, float64 [bins]."""

    accuracy: np.ndarray
    """The part that is right, float64 [bins]."""

    weight: np.ndarray
    """Of the examples, float64 [bins]."""

    @property
    def expected_calibration_error(self) -> float:
        """The mean distance of confidence and accuracy."""
        distances = np.abs(self.confidence - self.accuracy)
        return float(np.average(distances, weights=self.weight)) if len(distances) else 0.0


def reliability(output: Output) -> Reliability:
    """By confidence in bins of equal width.

    The confidence in a class is the probability of the one predicted; of labels, each counts with
    its own.
    """
    if output.kind == "class":
        confidence = output.scores.max(axis=-1)
        is_right = output.predicted == output.labels
        weights = output.weights
    else:
        confidence, is_right = output.scores.ravel(), output.has_label.ravel()
        weights = np.repeat(output.weights, len(output.names))
    return _in_bins(confidence.astype(np.float64), is_right, weights.astype(np.float64))


def has_temperature(output: Output) -> bool:
    """Whether the scores are the softmax or the sigmoid of the logits, as temperatures need."""
    if output.kind == "numbers" or not np.isfinite(output.logits).all():
        return False
    return bool(np.allclose(output.scores, _probabilities(output, 1.0), atol=1e-4))


def calibrated(output: Output, temperature: float) -> Output:
    """The same with the scores of its logits divided by a temperature."""
    return output.with_scores(_probabilities(output, temperature).astype(np.float32))


def fit_temperature(output: Output) -> float:
    """The temperature at which the labels are the most probable; 1 where there are no examples.

    Labels are smoothed by as much as one example more of each outcome would (Platt, 1999):
    else a split without mistakes has no best temperature.
    """
    logits, weights = output.logits.astype(np.float64), output.weights.astype(np.float64)
    total = weights.sum()
    if total == 0:
        return 1.0
    smoothing, targets = 1 / (total + 2), output.has_label.astype(np.float64)
    if output.kind == "class":
        targets = (1 - smoothing) * targets + smoothing / logits.shape[1]
    else:
        logits = np.stack([logits, np.zeros_like(logits)], axis=-1)  # of having it, of not
        targets = (1 - smoothing) * np.stack([targets, 1 - targets], axis=-1) + smoothing / 2
        weights = weights[:, None]
    return 1 / _best_inverse(logits, targets, weights)


def _best_inverse(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """1 / temperature, by bisection: the slope of the cross-entropy grows with it."""
    wanted = (targets * logits).sum(axis=-1)
    low, high = MIN_INVERSE, MAX_INVERSE
    for _ in range(_ITERATIONS):
        middle = (low * high) ** 0.5
        expected = (_softmax(middle * logits) * logits).sum(axis=-1)
        too_high = (weights * (expected - wanted)).sum() > 0
        low, high = (low, middle) if too_high else (middle, high)
    return (low * high) ** 0.5


def _probabilities(output: Output, temperature: float) -> np.ndarray:
    logits = output.logits.astype(np.float64) / temperature
    if output.kind == "class":
        return _softmax(logits)
    return np.exp(-np.logaddexp(0, -logits))  # the sigmoid, without an overflow


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _in_bins(confidence: np.ndarray, is_right: np.ndarray, weights: np.ndarray) -> Reliability:
    numbers = np.minimum((confidence * BINS).astype(int), BINS - 1)
    weight, said, so = (
        np.bincount(numbers, of_bin, minlength=BINS)
        for of_bin in (weights, weights * confidence, weights * is_right)
    )
    used = weight > 0
    return Reliability(said[used] / weight[used], so[used] / weight[used], weight[used])
