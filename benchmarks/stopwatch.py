"""A trainer that tells the time of its first step and of its first span, and goes no further."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import tensorflow as tf

from benchmarks.startup import FIRST_SPAN, FIRST_STEP
from trainer import Hook, Trainer
from trainer.loop.batches import Batch
from trainer.loop.inner_loop import Span
from trainer.loop.triggers import EverySpan


class Stopwatch(Trainer):
    """`--trainer benchmarks.stopwatch:Stopwatch`."""

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """As always; that it runs in Python means that it is being traced."""
        print(FIRST_STEP, time.time())
        return super().train_step(batch)

    def fit(self, hooks: Sequence[Hook] = ()) -> None:
        """Until the first hook speaks."""
        super().fit([Stop(), *hooks])


class Stop:
    """Ends the process after a span of steps."""

    when = EverySpan()

    def __call__(self, trainer: Trainer, span: Span) -> None:  # noqa: ARG002
        """Tell the time and leave."""
        print(FIRST_SPAN, time.time())
        sys.exit()
