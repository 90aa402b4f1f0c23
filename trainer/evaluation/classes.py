"""Precision, recall and confusion of classes, and of labels that an example may have."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from trainer.evaluation.outputs import Output


@dataclasses.dataclass(frozen=True)
class ClassMeasures:
    """Each measure by class or label, float64 [names]; 0 where it is not defined."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    """The weight of the examples that have the label."""


def class_measures(output: Output) -> ClassMeasures:
    """Precision, recall and F1 of each class, one against the rest.

    Labels are predicted where their probability is above one half.
    """
    weights = output.weights.astype(np.float64)
    actual, predicted = output.has_label, output.is_predicted
    hits = weights @ (actual & predicted)
    support, guessed = weights @ actual, weights @ predicted
    return ClassMeasures(
        precision=_ratio(hits, guessed),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + guessed),
        support=support,
    )


def confusion_matrix(output: Output) -> np.ndarray:
    """The weight of the examples of each true class (a row) by the class predicted (a column)."""
    size = len(output.names)
    pairs = output.labels.astype(np.int64) * size + output.predicted
    counts = np.bincount(pairs, output.weights, minlength=size * size)
    return counts.reshape(size, size)


def worst_confusions(matrix: np.ndarray, names: Sequence[str]) -> list[tuple[str, str, float]]:
    """The pairs (true, predicted, weight) of classes that are confused, the most frequent first."""
    pairs = [
        (names[true], names[predicted], float(matrix[true, predicted]))
        for true, predicted in np.argwhere(matrix)
        if true != predicted
    ]
    return sorted(pairs, key=lambda pair: -pair[2])


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
