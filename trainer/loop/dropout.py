"""Dropout drawn by one named algorithm, which is fast in XLA too."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def drawn_by_philox() -> Iterator[None]:
    """What is traced inside draws the dropout of Keras' layers by philox.

    It is what TensorFlow draws by when nobody names an algorithm; XLA on a CPU then takes another,
    with which dropout takes longer than all the rest of a small step. Keras has no option for it.
    So `tf.nn.experimental.stateless_dropout`, which its layers call, has philox for a default
    while a step is traced, and is itself again after.
    """
    left_to_the_device = tf.nn.experimental.stateless_dropout
    by_philox = functools.partial(left_to_the_device, rng_alg="philox")
    tf.nn.experimental.stateless_dropout = by_philox
    try:
        yield
    finally:
        tf.nn.experimental.stateless_dropout = left_to_the_device
