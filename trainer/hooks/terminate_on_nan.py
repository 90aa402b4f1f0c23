"""Training that diverges: it ends there, and no checkpoint of it is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer.core.errors import DivergedError
from trainer.loop.history import EpochRecord
from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer

WATCHED = ("loss", "gradient_norm")
"""What a step returns that must be finite; any other value may be what it is."""

REMEDY = "try a lower --learning-rate, or --clip-norm 1"


class TerminateOnNaN(Hook):
    """Ends training at the first step whose loss, or logged gradient norm, is not finite.

    It looks at what a call recorded anyway, so that no step is slower for it. A gradient that is
    not finite at another step shows in the loss of the next.
    """

    def __init__(self) -> None:
        """Before the first step."""
        self._last_finite_loss = "none"

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Look at every step.

        Raises:
            DivergedError: one is not finite; with the last loss that was.
        """
        is_logged = trainer.is_logged(np.arange(output.first, output.last))
        watched = {name: output.values[name] for name in WATCHED if name in output.values}
        wrong = {
            name: np.flatnonzero(~np.isfinite(values) & (is_logged | (name == "loss")))
            for name, values in watched.items()
        }
        diverged = {name: int(steps[0]) for name, steps in wrong.items() if steps.size}
        if diverged:
            self._raise(output, *min(diverged.items(), key=lambda found: found[1]))
        self._last_finite_loss = self._finite_loss(output, output.steps)

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Look at the validation.

        Raises:
            DivergedError: its loss is not finite.
        """
        loss = record.metrics["validation"]["loss"]
        if not math.isfinite(loss):
            raise DivergedError(f"the validation loss after step {record.step} is {loss}; {REMEDY}")

    def state_dict(self) -> dict[str, Any]:
        """The last finite loss, for the error of a resumed run."""
        return {"last_finite_loss": self._last_finite_loss}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it back."""
        self._last_finite_loss = state["last_finite_loss"]

    def _raise(self, output: LoopOutput, name: str, number: int) -> None:
        step, value = output.first + number + 1, output.values[name][number]
        raise DivergedError(
            f"the {name.replace('_', ' ')} of step {step} is {value} (last finite loss:"
            f" {self._finite_loss(output, number + 1)}); {REMEDY}"
        )

    def _finite_loss(self, output: LoopOutput, steps: int) -> str:
        """The last finite loss of the first steps of a call, or before it; and its step."""
        losses = output.values["loss"][:steps]
        finite = np.flatnonzero(np.isfinite(losses))
        if not finite.size:
            return self._last_finite_loss
        return f"{losses[finite[-1]]:.4g} at step {output.first + int(finite[-1]) + 1}"
