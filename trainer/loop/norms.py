"""How large gradients are."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf


def global_norm(gradients: Iterable[tf.Tensor | tf.IndexedSlices | None]) -> tf.Tensor:
    """The Euclidean norm of all gradients as one vector, scalar; None has no part in it."""
    return tf.linalg.global_norm([_column_norms(g) for g in gradients if g is not None])


def _column_norms(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    # XLA on a CPU adds up a whole matrix one number after another, but its columns abreast.
    squares = tf.square(tf.convert_to_tensor(gradient))
    return tf.sqrt(tf.reduce_sum(squares, axis=list(range(squares.shape.rank - 1))))
