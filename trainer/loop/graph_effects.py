"""What a traced step does beside returning values: which variables it writes, what is random."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.auto_control_deps_utils import get_read_write_resource_inputs

RANDOM_OPS = {
    "Multinomial": "tf.random.categorical",
    "ParameterizedTruncatedNormal": "tf.random.truncated_normal",
    "RandomGamma": "tf.random.gamma",
    "RandomPoissonV2": "tf.random.poisson",
    "RandomShuffle": "tf.random.shuffle",
    "RandomStandardNormal": "tf.random.normal",
    "RandomUniform": "tf.random.uniform",
    "RandomUniformInt": "tf.random.uniform",
    "TruncatedNormal": "tf.random.truncated_normal",
}
"""The ops that draw from TensorFlow's own hidden state, and what people write to get them."""


def written_variables(step: tf.types.experimental.ConcreteFunction) -> list[tf.Variable]:
    """The variables that a graph writes, in the order in which it captured them.

    TensorFlow knows it of every op, to keep the order of its automatic control dependencies.
    """
    graph = step.graph
    written: set[int] = set()
    for operation in graph.get_operations():
        _, writes = get_read_write_resource_inputs(operation)
        written.update(id(tensor) for tensor in writes)
    handles = {id(outer) for outer, inner in graph.captures if id(inner) in written}
    return [variable for variable in graph.variables if id(variable.handle) in handles]


def stateful_random_functions(step: tf.types.experimental.ConcreteFunction) -> list[str]:
    """The functions of a graph whose random numbers no checkpoint repeats: tf.random.uniform."""
    graph = step.graph.as_graph_def()
    ops = {node.op for node in graph.node}
    ops.update(node.op for function in graph.library.function for node in function.node_def)
    return sorted({RANDOM_OPS[op] for op in ops & set(RANDOM_OPS)})


@contextlib.contextmanager
def python_random_draws() -> Iterator[list[str]]:
    """Lists, after the block, whose random numbers it drew: Python's random, NumPy's."""
    before, drawn = (random.getstate(), _numpy_state()), list[str]()
    yield drawn
    if random.getstate() != before[0]:
        drawn.append("random")
    if _numpy_state() != before[1]:
        drawn.append("numpy.random")


def _numpy_state() -> str:
    state = np.random.get_state(legacy=False)["state"]
    return f"{state['key'].tobytes().hex()} {state['pos']}"
