"""The weights of a module as if it had never learnt: its architecture from scratch."""

from __future__ import annotations

import re
from collections.abc import Iterable

import keras
import tensorflow as tf

STARTS_AT_ONE = re.compile(r"(gamma|scale|weight|var|variance)(_\d+)?$")
"""Names of the vectors by which a norm multiplies or divides; all others are added."""


def randomise(variables: Iterable[keras.Variable], seed: int) -> None:
    """Draw kernels as arXiv 1502.01852 does; norms pass on what they are given, biases add nothing.

    A module does not keep its initial values, so a variable's part is told by its shape and name.
    """
    for number, variable in enumerate(variables):
        initial = _kernel(variable, seed + number) if variable.ndim > 1 else _vector(variable)
        variable.assign(initial)


def _kernel(variable: keras.Variable, seed: int) -> tf.Tensor:
    draw = keras.initializers.HeNormal(seed)
    if "depthwise" not in variable.name:
        return draw(variable.shape)
    height, width, channels, multiplier = variable.shape  # each channel sees itself alone
    return tf.reshape(draw([height, width, 1, channels * multiplier]), variable.shape)


def _vector(variable: keras.Variable) -> tf.Tensor:
    one = STARTS_AT_ONE.search(variable.name)
    return tf.ones(variable.shape) if one else tf.zeros(variable.shape)
