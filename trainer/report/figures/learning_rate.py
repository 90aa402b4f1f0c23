"""The loss at rising learning rates."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from trainer.report.figures.style import BLUE, GREY, ORANGE, styled, subplots


@styled
def learning_rate_curve(
    learning_rates: np.ndarray,
    losses: np.ndarray,
    smoothed: np.ndarray,
    suggestion: float | None,
) -> Figure:
    """The loss of each step and its average, over the learning rate of the step.

    Args:
        learning_rates: Rising, [steps].
        losses: Of the steps, [steps].
        smoothed: Their moving average, [steps].
        suggestion: The learning rate to mark.
    """
    figure, [axis] = subplots(width=6.4)
    axis.plot(learning_rates, losses, color=GREY, alpha=0.5, label="loss")
    axis.plot(learning_rates, smoothed, color=BLUE, label="averaged")
    if suggestion is not None:
        axis.axvline(suggestion, color=ORANGE, linestyle=":", label=f"{suggestion:.1e}")
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:.0e}")
    axis.set_ylim(0, 1.5 * float(np.max(smoothed[: len(smoothed) // 2])))
    axis.set_xlabel("learning rate")
    axis.set_title("loss of a step")
    axis.legend()
    return figure
