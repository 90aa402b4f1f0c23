"""Figures of classes and of labels: confusion, precision and recall, reliability."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainer.evaluation.calibration import reliability
from trainer.evaluation.classes import class_measures, confusion_matrix
from trainer.evaluation.curves import ThresholdCounts, threshold_counts
from trainer.evaluation.outputs import Output
from trainer.report.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    SHADES,
    shortened,
    styled,
    subplots,
)

MOST_NUMBERS = 15
"""Up to so many classes the counts stand in the cells of a confusion matrix."""

MOST_CLASSES_NAMED = 40
"""Up to so many classes are named at the axes; of more, the bars have those that are worst."""

MOST_LINES = len(COLOURS)
"""Of more classes each, curves are drawn in grey, and named in no legend."""

_POINTS = 400
"""A curve needs no more than this."""


@styled
def confusion_figure(output: Output) -> Figure:
    """The part of each true class (a row) that is predicted as each class (a column)."""
    matrix = confusion_matrix(output)
    size = len(output.names)
    figure, [axis] = subplots(width=min(9.0, 3.4 + 0.3 * size), height=min(8.0, 2.6 + 0.3 * size))
    figure.subplots_adjust(left=1.5 / figure.get_figwidth(), bottom=1.3 / figure.get_figheight())
    of_true = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
    axis.imshow(of_true, cmap=SHADES, vmin=0, vmax=1)
    axis.grid(visible=False)
    axis.set(xlabel="predicted", ylabel="true")
    if size <= MOST_CLASSES_NAMED:
        names = shortened(output.names)
        axis.set_xticks(range(size), names, rotation=45, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(size), names)
    if size <= MOST_NUMBERS:
        for true, predicted in np.argwhere(matrix):
            axis.text(predicted, true, f"{matrix[true, predicted]:g}", ha="center", va="center")
    return figure


@styled
def class_bars(output: Output) -> Figure:
    """Precision, recall and F1 of every class, the lowest F1 on top."""
    measures = class_measures(output)
    worst = np.argsort(measures.f1, kind="stable")[:MOST_CLASSES_NAMED][::-1]
    figure, [axis] = subplots(width=6.2, height=1.3 + 0.36 * len(worst))
    figure.subplots_adjust(left=1.6 / 6.2)
    places = np.arange(len(worst))
    for offset, (name, colour) in zip(
        (0.25, 0, -0.25), zip(("precision", "recall", "f1"), COLOURS, strict=False), strict=True
    ):
        values = getattr(measures, name)[worst]
        label = "F1" if name == "f1" else name
        axis.barh(places + offset, values, height=0.23, color=colour, label=label)
    axis.set_yticks(places, shortened([output.names[number] for number in worst]))
    axis.set_xlim(0, 1)
    axis.grid(visible=False, axis="y")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure


@styled
def threshold_curves(output: Output) -> Figure:
    """Precision over recall, and ROC: of each class against the rest, of two of the last one."""
    figure, [precision, roc] = subplots(2)
    for number in shown_classes(output):
        counts = class_counts(output, number)
        few = len(output.names) <= MOST_LINES
        colour = COLOURS[number % MOST_LINES] if few else GREY
        style: dict[str, Any] = {"color": colour, "alpha": 1.0 if few else 0.4, "linewidth": 1.4}
        name = shortened([output.names[number]])[0]
        label = f"{name} {counts.average_precision:.2f}" if few else None
        precision.plot(*_thinned(counts.recall, counts.precision), label=label, **style)
        label = f"{name} {counts.area_under_roc:.2f}" if few else None
        rates = np.append(0, counts.false_positive_rate), np.append(0, counts.recall)
        roc.plot(*_thinned(*rates), label=label, **style)
    _finish(precision, "recall", "precision", "precision and recall", legend="lower left")
    roc.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    _finish(roc, "false positive rate", "true positive rate", "ROC", legend="lower right")
    return figure


@styled
def reliability_figure(output: Output, uncalibrated: Output) -> Figure:
    """How often what is predicted with a confidence is right."""
    figure, [axis] = subplots()
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    for scores, name, colour in (
        (uncalibrated, "the model's", ORANGE),
        (output, "calibrated", BLUE),
    ):
        found = reliability(scores)
        label = f"{name}, error {found.expected_calibration_error:.3f}"
        axis.plot(found.confidence, found.accuracy, color=colour, marker="o", label=label)
    _finish(axis, "confidence", "part that is right", "reliability", legend="upper left")
    return figure


def shown_classes(output: Output) -> list[int]:
    """Those that have a curve: all that there are examples of; of two classes the last."""
    if output.kind == "class" and len(output.names) == 2:
        return [1]
    return [number for number in range(len(output.names)) if output.has_label[:, number].any()]


def class_counts(output: Output, number: int) -> ThresholdCounts:
    """The counts of one class against the rest."""
    return threshold_counts(output.has_label[:, number], output.scores[:, number], output.weights)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(x) <= _POINTS:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, _POINTS).astype(int))
    return x[kept], y[kept]


def _finish(axis: Axes, x: str, y: str, title: str, legend: Any) -> None:
    axis.set(xlabel=x, ylabel=y, title=title, xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
    if axis.get_legend_handles_labels()[1]:
        axis.legend(loc=legend, fontsize="small")
