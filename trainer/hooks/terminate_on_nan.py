"""Training that leaves the numbers: it ends there, and nothing of it is kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trainer.core.errors import DivergedError
from trainer.loop.inner_loop import Span
from trainer.loop.triggers import EverySpan

if TYPE_CHECKING:
    from trainer.loop.trainer import Trainer

WATCHED = ("loss", "gradient_norm")
"""What a step returns that must be finite; the rest is the business of the step that returns it."""


class TerminateOnNaN:
    """Ends training at the first step whose loss or gradient is not finite.

    It looks at what a span recorded anyway, so that no step is slower for it.
    """

    def __init__(self) -> None:
        """After each span."""
        self.when = EverySpan()
        self._last_loss = "none"

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come before whatever keeps the state of training."""
        watched = {name: span.values[name] for name in WATCHED if name in span.values}
        wrong = {name: np.flatnonzero(~np.isfinite(values)) for name, values in watched.items()}
        diverged = {name: int(steps[0]) for name, steps in wrong.items() if steps.size}
        if diverged:
            self._end(span, *min(diverged.items(), key=lambda found: found[1]))
        self._last_loss = self._last_finite_loss(span, span.steps)

    def _end(self, span: Span, name: str, number: int) -> None:
        what, value = name.replace("_", " "), span.values[name][number]
        raise DivergedError(
            f"the {what} of step {span.first + number + 1} is {value} (last finite loss:"
            f" {self._last_finite_loss(span, number + 1)}); try a lower --learning-rate, or"
            " --clip-norm 1"
        )

    def _last_finite_loss(self, span: Span, steps: int) -> str:
        losses = span.values["loss"][:steps] if span.steps else np.zeros(0)
        finite = np.flatnonzero(np.isfinite(losses))
        if not finite.size:
            return self._last_loss
        return f"{losses[finite[-1]]:.4g} at step {span.first + int(finite[-1]) + 1}"


def require_finite_loss(metrics: dict[str, float], split: str, step: int) -> None:
    """Refuse to go on from weights that give no finite loss on a split.

    Raises:
        DivergedError: they do not.
    """
    if not math.isfinite(metrics["loss"]):
        raise DivergedError(
            f"the {split} loss after step {step} is {metrics['loss']}; try a lower"
            " --learning-rate, or --clip-norm 1"
        )
