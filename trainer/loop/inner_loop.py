"""A span: any number of steps of one pass over the data as a single call into the graph."""

from __future__ import annotations

import dataclasses
import functools
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.loop.batches import Batches
from trainer.loop.metrics import Metrics
from trainer.loop.tracing import TracedOnce
from trainer.loop.xla import Jit, StepFunction

MAX_STEPS_PER_EXECUTION = 1024
"""Steps a span can record: the values of each step come out in tensors of this length."""

UNCOMPILED = Jit("off")


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

    @classmethod
    def of_no_steps(cls, step: int) -> Span:
        """What is at a step before anything has run."""
        return cls(step, step, {}, examples=0, seconds=sys.float_info.min)


class InnerLoop:
    """Runs one kind of step over the batches of one split, a span at a call.

    The graph is traced once, however long the spans are: every batch has one shape, and what
    differs between spans goes in as tensors.
    """

    def __init__(
        self, step_function: StepFunction, batches: Batches, metrics: Metrics, jit: Jit = UNCOMPILED
    ) -> None:
        """Nothing is traced before the first span.

        Args:
            step_function: A batch to a dict of scalars, "loss" among them.
            batches: Where it gets its batches from.
            metrics: Where the means of these scalars are kept.
            jit: Whether XLA compiles it: a span whole, or its step alone where XLA cannot take
                the batches.
        """
        self._step_function, self._batches, self._metrics = step_function, batches, metrics
        self._jit = jit

    def __call__(self, feed: Any, first: int, last: int) -> Span:
        """Run the steps `first` … `last - 1`, counted from the start of training.

        Args:
            feed: What `batches.open` gave for the pass that they all belong to.
            first: The first step.
            last: The step behind the last one, at most MAX_STEPS_PER_EXECUTION on.

        Raises:
            TypeError: the step returns no dict of scalars with a "loss".
        """
        began, steps = time.perf_counter(), last - first
        batch = first % self._batches.steps
        values = self._graph(feed, tf.constant(batch), tf.constant(steps))
        recorded = {name: value.numpy()[:steps] for name, value in values.items()}
        examples = self._batches.examples_in(batch, steps)
        return Span(first, last, recorded, examples, time.perf_counter() - began)

    def build(self) -> None:
        """Trace the step now, so that the means of what it returns are there."""
        _ = self._graph

    @functools.cached_property
    def _graph(self) -> tf.types.experimental.GenericFunction:
        """(feed, first, count) to what each step returned, float32 [MAX_STEPS_PER_EXECUTION] by name."""
        step, compiled = self._jit.graph(self._step_function, self._batches)
        names = _value_names(step.get_concrete_function(self._batches.batch_spec), step)
        self._metrics.track(names)
        guard = TracedOnce("a span of steps")

        def take_step(feed: Any, batch_number: tf.Tensor) -> list[tf.Tensor]:
            batch = self._batches.take(feed, batch_number)
            values = step(batch)
            self._metrics.average(values, labels=batch[1])
            return [tf.cast(values[name], tf.float32) for name in names]

        @tf.function(jit_compile=compiled and self._batches.xla_compatible)
        def run_span(feed: Any, first: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
            guard(feed=feed, first=first, count=count)
            done, recorded = tf.constant(0), [tf.zeros([MAX_STEPS_PER_EXECUTION]) for _ in names]
            while done < count:  # XLA would compile `for … in tf.range(count)` for each count
                values = take_step(feed, first + done)
                recorded = [
                    tf.tensor_scatter_nd_update(record, [[done]], [value])
                    for record, value in zip(recorded, values, strict=True)
                ]
                done += 1
            return dict(zip(names, recorded, strict=True))

        return run_span


def _value_names(traced: Any, step: Any) -> list[str]:
    values = traced.structured_outputs
    if isinstance(values, dict) and "loss" in values and _all_scalars(values):
        return list(values)
    name = step.python_function.__qualname__
    raise TypeError(f'{name} must return a dict of scalars, {{"loss": …}}; it returns {values}')


def _all_scalars(values: Mapping[str, Any]) -> bool:
    return all(getattr(value, "shape", None) == () for value in values.values())
