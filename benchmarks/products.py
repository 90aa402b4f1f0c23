"""The limit of a dense head's training: its matrix products, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

HIDDEN, CLASSES = 512, 5


def products(batch_size: int, width: int, steps: int, update: bool) -> Callable[[], object]:
    """So many steps as one XLA program, of which only the duration matters.

    Two products forward and three backward a step; with `update` Adam's update too.
    """
    inputs, first, second = _inputs(batch_size, width)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build([first, second])

    @tf.function(jit_compile=True)
    def run(count: tf.Tensor) -> tf.Tensor:
        done, seen, x = tf.constant(0), tf.constant(0.0), inputs
        while done < count:
            hidden = x @ first
            logits = hidden @ second
            of_second = tf.matmul(hidden, logits, transpose_a=True)
            of_hidden = tf.matmul(logits, second, transpose_b=True)
            of_first = tf.matmul(x, of_hidden, transpose_a=True)
            if update:
                optimizer.apply([of_first, of_second], [first, second])
            # Each step depends on the one before, or the compiler would merge them into one.
            seen += of_first[0, 0] + of_second[0, 0]
            x = inputs + seen * 1e-9
            done += 1
        return seen

    return lambda: run(tf.constant(steps)).numpy()


def _inputs(batch_size: int, width: int) -> tuple[tf.Tensor, tf.Variable, tf.Variable]:
    random = np.random.default_rng(0)
    inputs = tf.constant(random.random((batch_size, width), np.float32))
    first = tf.Variable(random.random((width, HIDDEN), np.float32) * 0.01)
    second = tf.Variable(random.random((HIDDEN, CLASSES), np.float32) * 0.01)
    return inputs, first, second
