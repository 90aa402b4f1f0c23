"""A span: any number of steps of one epoch as a single call into the graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.loop.batches import Batch, Batches
from trainer.loop.metrics import Metrics

LONGEST_SPAN = 1024
"""Steps a span can record: the values of each step come out in tensors of this length."""

StepFunction = Callable[[Batch], Mapping[str, tf.Tensor]]
SpanFunction = Callable[[Any, tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Span:
    """What came out of the steps `first` … `last - 1`, counted from the start of training."""

    first: int
    last: int
    values: Mapping[str, np.ndarray]
    """What each step returned, by name: float32 [last - first]."""

    examples: int
    """How many the steps saw, padding rows left out."""

    seconds: float

    @property
    def examples_per_second(self) -> float:
        """How fast it went."""
        return self.examples / self.seconds

    @property
    def steps(self) -> int:
        """How many steps it took."""
        return self.last - self.first


def span_function(step_function: StepFunction, batches: Batches, metrics: Metrics) -> SpanFunction:
    """A function (feed, first, count) that runs `count` steps of an epoch from batch `first`.

    It is traced once: `first` and `count` are int32 tensors, and every batch has one shape. It
    gives the values of each step by name, float32 [LONGEST_SPAN], of which `count` are filled.

    Raises:
        TypeError: the step returns no dict of scalars with a "loss".
    """
    step = tf.function(step_function)
    names = _value_names(step_function, step.get_concrete_function(batches.batch_spec))
    metrics.add_means(names)

    @tf.function
    def run_span(feed: Any, first: tf.Tensor, count: tf.Tensor) -> Mapping[str, tf.Tensor]:
        def take_step(done: tf.Tensor, recorded: dict) -> tuple[tf.Tensor, dict]:
            batch = batches.take(feed, first + done)
            values = step(batch)
            metrics.average(values, batch[1])
            return done + 1, {
                name: tf.tensor_scatter_nd_update(
                    recorded[name], [[done]], [tf.cast(values[name], tf.float32)]
                )
                for name in names
            }

        nothing = {name: tf.zeros([LONGEST_SPAN]) for name in names}
        _, recorded = tf.while_loop(
            lambda done, _: done < count, take_step, (tf.constant(0), nothing)
        )
        return recorded

    return run_span


def _value_names(step_function: StepFunction, traced: Any) -> list[str]:
    values = traced.structured_outputs
    if isinstance(values, dict) and "loss" in values and _all_scalars(values):
        return list(values)
    name = getattr(step_function, "__qualname__", str(step_function))
    raise TypeError(f'{name} must return a dict of scalars, {{"loss": …}}; it returns {values}')


def _all_scalars(values: Mapping[str, Any]) -> bool:
    return all(getattr(value, "shape", None) == () for value in values.values())
