"""TensorBoard's curves of training and validation."""

from __future__ import annotations

import math
from typing import Any

from trainer.loop.history import EpochRecord
from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer
from trainer.loop.triggers import EverySteps
from trainer.optimization.schedules import learning_rate_at
from trainer.report.summaries import Summaries


class TensorBoardScalars(Hook):
    """What steps return, every so many steps and at the end of each epoch, and its metrics."""

    def __init__(self, summaries: Summaries, every: int) -> None:
        """Write a point every so many steps."""
        self._summaries, self._points = summaries, EverySteps(every)
        self._last_step: dict[str, float] = {}
        """What the last step returned, until it is written."""

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Write the points of a call's steps."""
        for step in range(output.first + 1, output.last + 1):
            self._last_step = _values_at(trainer, output, step)
            if self._points.due(step, finished=False):
                self._write_last_step(step)
        self._summaries.flush()

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Write the epoch's metrics, and beside them what its last step returned."""
        self._write_last_step(record.step)
        # The values that steps return have points already: the epoch's mean is another number.
        step_names = trainer.train_metrics.step_names
        streamed = {n: value for n, value in record.metrics["train"].items() if n not in step_names}
        self._summaries.write("train", record.step, streamed)
        self._summaries.write("validation", record.step, record.metrics["validation"])
        self._summaries.flush()

    def state_dict(self) -> dict[str, Any]:
        """The last step, which a run that is interrupted in its validation has not written yet."""
        return {"last_step": self._last_step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it back."""
        self._last_step = state["last_step"]

    def _write_last_step(self, step: int) -> None:
        self._summaries.write("train", step, self._last_step)
        self._last_step = {}


def _values_at(trainer: Trainer, output: LoopOutput, step: int) -> dict[str, float]:
    """What a step of a call returned, its learning rate, and the speed of the call."""
    number = step - output.first - 1
    returned = {name: float(values[number]) for name, values in output.values.items()}
    if not trainer.is_logged(step - 1):  # the last one, where training was stopped
        returned = {n: v for n, v in returned.items() if n == "loss" or not math.isnan(v)}
    return {
        **returned,
        "learning_rate": learning_rate_at(trainer.optimizer, step),
        "images_per_second": output.examples_per_second,
    }
