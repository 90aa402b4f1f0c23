"""Figures of numbers: predicted against true, and the errors."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from trainer.evaluation.outputs import Output
from trainer.report.figures.style import BLUE, GREY, styled, subplots

MOST_NUMBERS = 6
"""So many of the numbers have a figure of their own: the first."""

_POINTS = 2000


@styled
def predicted_against_true(output: Output) -> Figure:
    """A point for each example, of every number."""
    shown = output.names[:MOST_NUMBERS]
    figure, axes = subplots(len(shown))
    kept = np.unique(np.linspace(0, output.examples - 1, _POINTS).astype(int))
    for number, (axis, name) in enumerate(zip(axes, shown, strict=True)):
        true, predicted = output.labels[kept, number], output.scores[kept, number]
        ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
        axis.plot(ends, ends, color=GREY, linestyle=":")
        axis.plot(true, predicted, ".", color=BLUE, alpha=0.5, markersize=5)
        axis.set(title=name, xlabel="true", ylabel="predicted")
    return figure


@styled
def error_histograms(output: Output) -> Figure:
    """How many examples have which error, of every number."""
    shown = output.names[:MOST_NUMBERS]
    figure, axes = subplots(len(shown), height=2.8)
    for number, (axis, name) in enumerate(zip(axes, shown, strict=True)):
        errors = output.scores[:, number] - output.labels[:, number]
        axis.hist(errors, bins=30, weights=output.weights, color=BLUE)
        axis.axvline(0, color=GREY, linestyle=":")
        axis.set(title=name, xlabel="predicted - true")
    return figure
