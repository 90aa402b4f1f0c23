"""How far predicted numbers are from the true ones."""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.evaluation.outputs import Output


@dataclasses.dataclass(frozen=True)
class NumberMeasures:
    """Each measure by number, float64 [names], in the units of the labels but for R²."""

    mean_absolute_error: np.ndarray
    root_mean_squared_error: np.ndarray
    bias: np.ndarray
    """The mean of predicted minus true."""

    r2: np.ndarray
    """The coefficient of determination; 0 where all labels are equal."""


def number_measures(output: Output) -> NumberMeasures:
    """The measures of every number."""
    labels, weights = output.labels.astype(np.float64), output.weights.astype(np.float64)
    errors = output.scores.astype(np.float64) - labels
    around_mean = labels - np.average(labels, axis=0, weights=weights)
    squared, variance = weights @ errors**2, weights @ around_mean**2
    explained = np.divide(squared, variance, out=np.ones_like(squared), where=variance > 0)
    return NumberMeasures(
        mean_absolute_error=np.average(np.abs(errors), axis=0, weights=weights),
        root_mean_squared_error=np.sqrt(squared / weights.sum()),
        bias=np.average(errors, axis=0, weights=weights),
        r2=1 - explained,
    )
