"""The curves of training beside those of validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from trainer.report.figures.style import BLUE, GREY, ORANGE, styled, subplots

MOST_METRICS = 2
"""Beside the loss."""


@styled
def training_curves(rows: Sequence[Mapping[str, float]], best_step: int) -> Figure:
    """The loss and the first metrics by step, of training and of validation.

    Args:
        rows: Those of history.csv.
        best_step: Where the weights were the best by validation.
    """
    names = _metrics_of_both(rows[-1])[: 1 + MOST_METRICS]
    figure, axes = subplots(len(names))
    steps = [row["step"] for row in rows]
    marker = "o" if len(rows) == 1 else None
    for axis, name in zip(axes, names, strict=True):
        for split, colour in (("train", BLUE), ("validation", ORANGE)):
            values = [row[f"{split}_{name}"] for row in rows]
            axis.plot(steps, values, color=colour, label=split, marker=marker)
        axis.axvline(best_step, color=GREY, linestyle=":", label="best weights")
        axis.set_title(name.replace("_", " "))
        axis.set_xlabel("step")
    axes[0].legend()
    return figure


def _metrics_of_both(row: Mapping[str, float]) -> list[str]:
    """Those that training and validation have, without those of single classes."""
    names = [name.removeprefix("validation_") for name in row if name.startswith("validation_")]
    return [name for name in names if f"train_{name}" in row and "/" not in name]
