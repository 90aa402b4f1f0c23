"""XLA: which training steps it compiles, and what becomes of those that it cannot."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.loop.batches import Batch, Batches
from trainer.optimization.compiled_updates import compiled_updates
from trainer.optimization.precision import traced_for_xla

logger = logging.getLogger(__name__)

StepFunction = Callable[[Batch, tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]]
"""Of a batch, the number of the step, an int32 scalar, and the indices of the batch's examples."""

PYTHON_NAMES = {
    "EagerPyFunc": "tf.py_function",
    "PyFunc": "tf.numpy_function",
    "StringFormat": "tf.print",
}
"""What people write to get these ops."""


@dataclasses.dataclass(frozen=True)
class Jit:
    """How the steps over a split are turned into graphs, and which are compiled."""

    when: Literal["auto", "on", "off"] = "off"
    """auto: over features on any device, over images only where there is a GPU, because XLA runs
    convolutions on a CPU many times slower than TensorFlow itself. Of a step that is not compiled
    whole, the optimizer's update is."""

    def on_replicas(self, count: int) -> Jit:
        """For so many: XLA makes a program for one device, without exchange between several.

        Raises:
            UserError: there are several, and `when` is on.
        """
        if count > 1 and self.when == "on":
            raise UserError(f"--jit on: XLA cannot compile a step of {count} replicas; omit it")
        return self if count == 1 else Jit("off")

    def graph(
        self, step: StepFunction, batches: Batches
    ) -> tuple[tf.types.experimental.GenericFunction, bool]:
        """The step as a graph, traced, and whether it is compiled.

        No step is run and no variable changes before it is clear whether XLA can compile it.

        Raises:
            UserError: it cannot, and `when` is on.
        """
        if self.is_wanted(batches):
            compiled = _trace(step, batches, jit_compile=True)
            reason = _why_not_compiled(compiled, batches)
            if reason is None:
                return compiled, True
            self._report(reason)
        updates = contextlib.nullcontext() if self.when == "off" else compiled_updates()
        with updates:
            return _trace(step, batches, jit_compile=False), False

    def is_wanted(self, batches: Batches) -> bool:
        """Whether a step over these batches is to be compiled on one device."""
        if self.when == "auto":
            return batches.jit_on_cpu or bool(tf.config.list_physical_devices("GPU"))
        return self.when == "on"

    def _report(self, reason: str) -> None:
        if self.when == "on":
            raise UserError(f"--jit on: {reason}; --jit auto runs the training step uncompiled")
        logger.info("the training step runs uncompiled, more slowly: %s", reason)


@contextlib.contextmanager
def philox_dropout() -> Iterator[None]:
    """While inside, the dropout of Keras' layers is traced with the philox generator.

    It is TensorFlow's own choice where no algorithm is named, but XLA on a CPU then takes another,
    with which dropout takes longer than all the rest of a small step. Keras has no option for it.
    So `tf.nn.experimental.stateless_dropout`, which its layers call, has another default inside.
    """
    original = tf.nn.experimental.stateless_dropout
    tf.nn.experimental.stateless_dropout = functools.partial(original, rng_alg="philox")
    try:
        yield
    finally:
        tf.nn.experimental.stateless_dropout = original


def step_spec(batches: Batches) -> tuple[Any, tf.TensorSpec, tf.TensorSpec]:
    """What a step takes: the specs of a batch, of the step's number and of the indices."""
    indices = tf.TensorSpec([batches.rows.count], tf.int32)
    return batches.batch_spec, tf.TensorSpec([], tf.int32), indices


def _trace(
    step: StepFunction, batches: Batches, jit_compile: bool
) -> tf.types.experimental.GenericFunction:
    graph = tf.function(step, jit_compile=jit_compile)
    with philox_dropout(), traced_for_xla(jit_compile):
        graph.get_concrete_function(*step_spec(batches))
    return graph


def _why_not_compiled(step: tf.types.experimental.GenericFunction, batches: Batches) -> str | None:
    """Why XLA cannot compile a step, None where it can; the step is translated and not run."""
    specs = step_spec(batches)

    @tf.function(jit_compile=True)
    def one_step(*tensors: tf.Tensor) -> tf.Tensor:
        # In a loop as the inner loop's: outside of one XLA overlooks what no result depends on.
        done = tf.constant(0)
        while done < 1:
            step(*tf.nest.pack_sequence_as(specs, tensors))
            done += 1
        return done

    try:
        one_step.experimental_get_compiler_ir(*tf.nest.flatten(specs))(stage="hlo")
    except ValueError as error:
        return _reason(str(error))
    return None


def _reason(error: str) -> str:
    unknown = re.findall(r"No registered '(\w+)' OpKernel", error)
    if unknown:
        names = dict.fromkeys(PYTHON_NAMES.get(op, op) for op in unknown)
        return f"XLA cannot compile {', '.join(names)}"
    shape = re.search(r"with op (\w+) must be a compile-time constant", error)
    if shape:
        return f"XLA cannot compile {shape[1]} of a shape that depends on the batch's values"
    return f"XLA cannot compile it ({error.splitlines()[0]})"
