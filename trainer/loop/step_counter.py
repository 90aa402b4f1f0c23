"""The number of steps done, which in the graph of a step is a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from trainer.loop.batches import Batch
from trainer.loop.xla import StepFunction


class StepCounter:
    """Counts the steps that are done.

    ```python
    counter = StepCounter()

    def train_step(batch):
        counter.value  # an int32 tensor: the number of the step

    step = counter.numbered(train_step)  # of a batch and a number
    ```
    """

    def __init__(self) -> None:
        """Before the first step."""
        self._done = 0
        self._traced: tf.Tensor | None = None

    @property
    def value(self) -> int | tf.Tensor:
        """How many steps are done; in the graph of a numbered step the number of this one."""
        return self._done if self._traced is None else self._traced

    @value.setter
    def value(self, done: int) -> None:
        self._done = done

    def numbered(self, step: Callable[[Batch], Mapping[str, tf.Tensor]]) -> StepFunction:
        """A step that takes its number beside the batch, and has it as `value`."""

        def take_step(batch: Batch, number: tf.Tensor) -> Mapping[str, tf.Tensor]:
            self._traced = number
            try:
                return step(batch)
            finally:
                self._traced = None

        # Not functools.wraps: tf.function would then take the signature of the step itself.
        take_step.__qualname__ = step.__qualname__
        return take_step
