"""XLA: which training steps it compiles, and what becomes of those that it cannot."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Literal

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.loop.batches import Batch, Batches
from trainer.loop.dropout import drawn_by_philox
from trainer.optimization.norms import traced_for_xla

StepFunction = Callable[[Batch], Mapping[str, tf.Tensor]]

WRITTEN_AS = {
    "EagerPyFunc": "tf.py_function",
    "PyFunc": "tf.numpy_function",
    "StringFormat": "tf.print",
}
"""Ops that nobody knows by their own name."""


@dataclasses.dataclass(frozen=True)
class Jit:
    """How the steps over a split are turned into graphs, and which are compiled."""

    when: Literal["auto", "on", "off"] = "off"
    """auto: over features on any device, over images only where there is a GPU, for XLA runs
    convolutions on a CPU many times slower than TensorFlow itself."""

    say: Callable[[str], None] = print
    """Tells a person that a step runs uncompiled."""

    def graph(
        self, step: StepFunction, batches: Batches
    ) -> tuple[tf.types.experimental.GenericFunction, bool]:
        """The step as a graph, traced, and whether it is compiled.

        No step is run and no variable changes before it is clear whether XLA can compile it.

        Raises:
            UserError: it cannot, but must.
        """
        if self._wanted(batches):
            compiled = _traced(step, batches, jit_compile=True)
            refusal = _refusal(compiled, batches)
            if refusal is None:
                return compiled, True
            self._tell(refusal)
        return _traced(step, batches, jit_compile=False), False

    def _wanted(self, batches: Batches) -> bool:
        if self.when == "auto":
            return batches.jit_on_cpu or bool(tf.config.list_physical_devices("GPU"))
        return self.when == "on"

    def _tell(self, refusal: str) -> None:
        if self.when == "on":
            raise UserError(f"--jit on: {refusal}; --jit auto runs the training step uncompiled")
        self.say(f"the training step runs uncompiled, more slowly: {refusal}")


def _traced(
    step: StepFunction, batches: Batches, jit_compile: bool
) -> tf.types.experimental.GenericFunction:
    graph = tf.function(step, jit_compile=jit_compile)
    with drawn_by_philox(), traced_for_xla(jit_compile):
        graph.get_concrete_function(batches.batch_spec)
    return graph


def _refusal(step: tf.types.experimental.GenericFunction, batches: Batches) -> str | None:
    """Why XLA cannot compile a step, None where it can; it is translated and not run."""

    @tf.function(jit_compile=True)
    def span_of_one(inputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        # In a loop as in a span: XLA overlooks, outside of one, what no result depends on.
        done = tf.constant(0)
        while done < 1:
            step((inputs, labels))
            done += 1
        return done

    try:
        span_of_one.experimental_get_compiler_ir(*batches.batch_spec)(stage="hlo")
    except ValueError as error:
        return _in_words(str(error))
    return None


def _in_words(error: str) -> str:
    unknown = re.findall(r"No registered '(\w+)' OpKernel", error)
    if unknown:
        names = dict.fromkeys(WRITTEN_AS.get(op, op) for op in unknown)
        return f"XLA cannot compile {', '.join(names)}"
    shaping = re.search(r"with op (\w+) must be a compile-time constant", error)
    if shaping:
        return f"XLA cannot compile {shaping[1]} of a shape that only the batch's values tell"
    return f"XLA cannot compile it ({error.splitlines()[0]})"
