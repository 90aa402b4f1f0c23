"""The step that is under way: its number and its examples, which in its graph are tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from trainer.loop.batches import Batch
from trainer.loop.metrics import NOT_LOGGED
from trainer.loop.xla import StepFunction
from trainer.task import Task


class CurrentStep:
    """Counts the steps that are done, and within the graph of a step says which one it is.

    ```python
    current = CurrentStep(task)

    def train_step(batch):
        current.number   # int32 scalar
        current.indices  # int32 [batch_size]

    step = current.in_graph(train_step)  # of a batch, a number and indices
    ```
    """

    def __init__(self, task: Task) -> None:
        """Before the first step.

        Args:
            task: Its targets take the place of the labels in every batch.
        """
        self._task = task
        self._done = 0
        self._traced: tuple[tf.Tensor, tf.Tensor] | None = None
        self.measured: tuple[Any, Any] | None = None
        """In the graph of a step, the labels and the logits that the metrics were updated with."""
        self.logged_names = set[str]()
        """The values of traced steps that are computed at logged steps alone, by `when`."""
        self._logged: list[tf.Tensor] = []

    @property
    def number(self) -> int | tf.Tensor:
        """How many steps are done; in the graph of a step the number of this one."""
        return self._done if self._traced is None else self._traced[0]

    @number.setter
    def number(self, done: int) -> None:
        self._done = done

    @property
    def indices(self) -> tf.Tensor:
        """In the graph of a step, where its examples stand in their split, int32 [batch_size].

        Raises:
            RuntimeError: outside of a step.
        """
        if self._traced is None:
            raise RuntimeError("example_indices are those of a step; there are none outside of one")
        return self._traced[1]

    def when(
        self, condition: Callable[[tf.Tensor], tf.Tensor], value: Callable[[], tf.Tensor]
    ) -> tf.Tensor:
        """In the graph of a step, a scalar that is computed where its number meets a condition.

        Where it does not, the scalar is `NOT_LOGGED`, and takes no time. Outside of a step it is
        computed always.
        """
        if self._traced is None:
            return value()
        found = tf.cond(condition(self._traced[0]), value, lambda: tf.constant(NOT_LOGGED))
        self._logged.append(found)
        return found

    def in_graph(self, step: Callable[[Batch], Mapping[str, tf.Tensor]]) -> StepFunction:
        """A step that takes its number and its examples' indices beside the batch."""

        def take_step(
            batch: Batch, number: tf.Tensor, indices: tf.Tensor
        ) -> Mapping[str, tf.Tensor]:
            inputs, labels, sample_weight = batch
            with self._tracing(number, indices):
                values = step((inputs, self._task.targets(inputs, labels), sample_weight))
                self._keep_logged_names(values)
                return values

        # Not functools.wraps: tf.function would then take the signature of the step itself.
        take_step.__qualname__ = step.__qualname__
        return take_step

    def in_graph_with_outputs(
        self, step: Callable[[Batch], Mapping[str, tf.Tensor]]
    ) -> Callable[[Batch, tf.Tensor, tf.Tensor], tuple[Mapping[str, tf.Tensor], Any]]:
        """The same step, which returns the labels and logits of its metrics beside its values.

        None in their place where it has updated no metrics.
        """
        take_step = self.in_graph(step)

        def take_step_and_return_outputs(
            batch: Batch, number: tf.Tensor, indices: tf.Tensor
        ) -> tuple[Mapping[str, tf.Tensor], Any]:
            self.measured = None
            values = take_step(batch, number, indices)
            measured, self.measured = self.measured, None
            return values, measured

        return take_step_and_return_outputs

    def _keep_logged_names(self, values: Any) -> None:
        """Of the values that a step returns, unless they are of a kind that is refused later."""
        if isinstance(values, Mapping):
            of = {id(tensor) for tensor in self._logged}
            self.logged_names |= {name for name, value in values.items() if id(value) in of}

    @contextlib.contextmanager
    def _tracing(self, number: tf.Tensor, indices: tf.Tensor) -> Iterator[None]:
        self._traced, self._logged = (number, indices), []
        try:
            yield
        finally:
            self._traced, self._logged = None, []
