"""`--profile 20:30`: TensorFlow's profile of some steps, for TensorBoard."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import tensorflow as tf

from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer
from trainer.loop.triggers import Trigger


@dataclasses.dataclass(frozen=True)
class AtSteps(Trigger):
    """At some steps alone, and at the end of training."""

    steps: tuple[int, ...]

    def next(self, step: int) -> float:
        """The first of them behind the step."""
        return min((one for one in self.steps if one > step), default=math.inf)

    def due(self, step: int, finished: bool) -> bool:
        """Whether the step is one of them, or the last."""
        return step in self.steps or finished


class Profile(Hook):
    """Profiles the steps between two; a run that is resumed behind the first has no profile."""

    def __init__(self, folder: Path, first: int, last: int) -> None:
        """Write it to the folder of a run, where TensorBoard's plugin finds it."""
        self.when = AtSteps((first, last))
        self._folder, self._first = folder, first
        self._is_running = False

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Begin behind the first step, end behind the last."""
        if output.last == self._first and not trainer.finished:
            tf.profiler.experimental.start(str(self._folder))
            self._is_running = True
        elif self._is_running:
            tf.profiler.experimental.stop()
            self._is_running = False
