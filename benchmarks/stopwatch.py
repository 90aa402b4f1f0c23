"""A trainer that prints when its first step is traced and its first call is done, and exits."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import tensorflow as tf

from benchmarks.startup import FIRST_CALL, FIRST_STEP
from trainer import Hook, LoopOutput, Trainer
from trainer.loop.batches import Batch
from trainer.loop.triggers import Checkpointer


class Stopwatch(Trainer):
    """`--trainer benchmarks.stopwatch:Stopwatch`."""

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """The usual step; Python runs it only while it is traced."""
        print(FIRST_STEP, time.time())
        return super().train_step(batch)

    def fit(self, hooks: Sequence[Hook] = (), checkpointer: Checkpointer | None = None) -> None:
        """Up to the first hook."""
        super().fit([Exit(), *hooks], checkpointer)


class Exit(Hook):
    """Ends the process after the first call into the graph."""

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Print the time and exit."""
        print(FIRST_CALL, time.time())
        sys.exit()
