"""The inner loop: any number of steps over one split as a single call into the graph."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.distribution.replicas import replicated, whole_weight
from trainer.loop.batches import Batches
from trainer.loop.checks import (
    check_metrics_updated,
    step_value_names,
    warn_of_unrepeated_draws,
)
from trainer.loop.graph_effects import python_random_draws, stateful_random_functions
from trainer.loop.metrics import Metrics
from trainer.loop.xla import Jit, StepFunction, step_spec

MAX_STEPS_PER_EXECUTION = 1024
"""Steps that a call can record: the values of each step come out in tensors of this length."""

UNCOMPILED = Jit("off")


@dataclasses.dataclass(frozen=True)
class LoopOutput:
    """What came out of the steps `first` … `last - 1`, counted from the start of training."""

    first: int
    last: int
    values: Mapping[str, np.ndarray]
    """What each step returned, by name: float32 [last - first]; the gradient norm is NaN at steps
    that are not logged."""

    examples: int
    """How many examples the steps took, without the rows that fill up a last batch."""

    seconds: float

    @property
    def examples_per_second(self) -> float:
        """The speed."""
        return self.examples / self.seconds

    @property
    def steps(self) -> int:
        """How many steps it was."""
        return self.last - self.first


class InnerLoop:
    """Runs one kind of step over the batches of one split.

    The graph is traced once, however many steps a call has: every batch has one shape, and what
    differs between calls goes in as tensors.
    """

    def __init__(
        self, step_function: StepFunction, batches: Batches, metrics: Metrics, jit: Jit = UNCOMPILED
    ) -> None:
        """Of the strategy in whose scope it is made; nothing is traced before the first call.

        Args:
            step_function: A batch, the step's number and the indices of its examples to a dict of
                scalars, "loss" among them.
            batches: The split.
            metrics: Where the means of these scalars are kept.
            jit: Whether XLA compiles it: the loop whole, or its step alone where the batches come
                out of a pipeline.
        """
        self._strategy = strategy = tf.distribute.get_strategy()
        self._replicas = strategy.num_replicas_in_sync
        self._jit = jit.on_replicas(self._replicas)
        draws_by_xla = jit.is_wanted(batches) and self._replicas > 1
        self._step_function = replicated(step_function, strategy, batches.rows, draws_by_xla)
        self._batches, self._metrics = batches, metrics

    def __call__(self, iterator: Any, first: int, last: int) -> LoopOutput:
        """Run the steps `first` … `last - 1`, counted from the start of training.

        Args:
            iterator: What `batches.make_iterator` made for the data epoch of all these steps.
            first: The first step.
            last: The step behind the last one, at most MAX_STEPS_PER_EXECUTION on.

        Raises:
            TypeError: the step returns no dict of scalars with a "loss", or leaves metrics at 0.
        """
        began, steps = time.perf_counter(), last - first
        batch = first % self._batches.steps
        values = self._graph(iterator, tf.constant(batch), tf.constant(first), tf.constant(steps))
        recorded = {name: value.numpy()[:steps] for name, value in values.items()}
        examples = self._batches.examples_in(batch, steps)
        return LoopOutput(first, last, recorded, examples, time.perf_counter() - began)

    def build(self) -> None:
        """Trace the step now, so that the means of what it returns are there.

        Random numbers that do not follow from the seed and the step are logged.
        """
        with python_random_draws() as drawn:
            _ = self._graph
        drawn_in_graph = stateful_random_functions(self.traced_step)
        warn_of_unrepeated_draws(self._step_function, drawn, drawn_in_graph)

    @property
    def traced_step(self) -> tf.types.experimental.ConcreteFunction:
        """The graph of one step."""
        return self._step[0].get_concrete_function(*step_spec(self._batches))

    @functools.cached_property
    def _step(self) -> tuple[tf.types.experimental.GenericFunction, bool]:
        """The step as a graph, traced, and whether XLA compiles it."""
        return self._jit.graph(self._step_function, self._batches)

    @functools.cached_property
    def _graph(self) -> tf.types.experimental.GenericFunction:
        """(iterator, batch, step, count) to what each step returned, float32 [MAX_STEPS…]."""
        step, compiled = self._step
        returned = self.traced_step.structured_outputs
        names = step_value_names(self._step_function, returned, self._metrics)
        check_metrics_updated(self._step_function, self._metrics)
        self._metrics.track(names)
        weight_of_batch = whole_weight(self._strategy, self._batches.rows)
        guard = TracedOnce("the inner loop")
        at_once = 10 if self._replicas == 1 else 1

        def take_step(iterator: Any, number: tf.Tensor, at: tf.Tensor) -> list[tf.Tensor]:
            batch, indices = self._batches.get_next(iterator, at)
            values, (_, _, sample_weight) = step(batch, number, indices), batch
            self._metrics.update_means(values, weight_of_batch(sample_weight))
            return [tf.cast(values[name], tf.float32) for name in names]

        @tf.function(jit_compile=compiled and self._batches.xla_compatible)
        def run_steps(
            iterator: Any, batch: tf.Tensor, first: tf.Tensor, count: tf.Tensor
        ) -> dict[str, tf.Tensor]:
            guard(iterator=iterator, batch=batch, first=first, count=count)
            done, recorded = tf.constant(0), [tf.zeros([MAX_STEPS_PER_EXECUTION]) for _ in names]
            while done < count:  # XLA would compile `for … in tf.range(count)` for each count
                # Of two steps at once, replicas would mix up what they exchange.
                tf.autograph.experimental.set_loop_options(parallel_iterations=at_once)
                values = take_step(iterator, first + done, batch + done)
                recorded = [
                    tf.tensor_scatter_nd_update(record, [[done]], [value])
                    for record, value in zip(recorded, values, strict=True)
                ]
                done += 1
            return dict(zip(names, recorded, strict=True))

        return run_steps


class TracedOnce:
    """Raises when the graph that it is called in is traced, and so compiled, a second time.

    ```python
    guard = TracedOnce("the inner loop")

    @tf.function
    def run(first, count):
        guard(first=first, count=count)
    ```
    """

    def __init__(self, what: str) -> None:
        """Name what is traced, for the error."""
        self._what = what
        self._kinds: dict[str, str] | None = None

    @tf.autograph.experimental.do_not_convert
    def __call__(self, **arguments: Any) -> None:
        """Keep the kinds of the arguments of this trace.

        Raises:
            RuntimeError: there was one before; naming the arguments that are of another kind.
        """
        if not tf.inside_function():  # functions are run eagerly, as for debugging
            return
        kinds = {name: _kind(argument) for name, argument in arguments.items()}
        if self._kinds is None:
            self._kinds = kinds
            return
        changes = [
            f"{n} was {self._kinds[n]} and is {k}" for n, k in kinds.items() if self._kinds[n] != k
        ]
        why = ", ".join(changes) or "its arguments are as before, but the device or scope is not"
        raise RuntimeError(f"{self._what} was traced a second time: {why}")


def _kind(argument: Any) -> str:
    """What a graph is traced for: of a tensor the type and shape, of a Python value itself."""
    if isinstance(argument, tf.Tensor):
        return f"{argument.dtype.name} {argument.shape}"
    if isinstance(argument, tf.data.Iterator):
        return f"an iterator of {argument.element_spec}"
    return repr(argument)
