"""All figures of one output, by name: those that have a meaning for its kind."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

from matplotlib.figure import Figure

from trainer.evaluation.outputs import Output
from trainer.report.figures.classes import (
    class_bars,
    confusion_figure,
    reliability_figure,
    threshold_curves,
)
from trainer.report.figures.numbers import error_histograms, predicted_against_true
from trainer.report.figures.style import as_png


@dataclasses.dataclass(frozen=True)
class NamedFigure:
    """A figure, its name in files and TensorBoard, and what it shows."""

    name: str
    figure: Figure
    caption: str

    @functools.cached_property
    def png(self) -> bytes:
        """As `as_png` draws it, once."""
        return as_png(self.figure)


def output_figures(output: Output, uncalibrated: Output) -> Iterator[NamedFigure]:
    """The figures of an output.

    Args:
        output: With calibrated scores, where there are any.
        uncalibrated: With the scores that the model itself gives.
    """
    if output.kind == "numbers":
        yield NamedFigure(
            "predicted_against_true",
            predicted_against_true(output),
            "Each point is an example; on the line the prediction is exact.",
        )
        yield NamedFigure("errors", error_histograms(output), "How often which error occurs.")
        return
    if output.kind == "class":
        yield NamedFigure(
            "confusion",
            confusion_figure(output),
            "Rows are true classes, columns predicted ones; the darker, the larger its part of the"
            " row.",
        )
    yield NamedFigure("by_class", class_bars(output), "One class against the rest; worst on top.")
    yield NamedFigure(
        "thresholds",
        threshold_curves(output),
        "At every threshold of the score; beside the names average precision and area.",
    )
    yield NamedFigure(
        "reliability",
        reliability_figure(output, uncalibrated),
        "Confident predictions should be right as often as they say: the dotted line.",
    )
