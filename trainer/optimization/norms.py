"""How large gradients are."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterable, Iterator

import tensorflow as tf

_for_xla = contextvars.ContextVar("for_xla", default=False)


@contextlib.contextmanager
def traced_for_xla(compiled: bool) -> Iterator[None]:
    """While a graph is traced: whether XLA will compile it, which a norm is written for."""
    token = _for_xla.set(compiled)
    try:
        yield
    finally:
        _for_xla.reset(token)


def global_norm(gradients: Iterable[tf.Tensor | tf.IndexedSlices | None]) -> tf.Tensor:
    """The Euclidean norm of all gradients as one vector, scalar; None has no part in it."""
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    # XLA on a CPU adds up a whole matrix one number after another, but its columns abreast;
    # TensorFlow's own kernel for the whole is faster than for columns.
    parts = [_column_norms(gradient) for gradient in dense] if _for_xla.get() else dense
    return tf.linalg.global_norm(parts)


def _column_norms(gradient: tf.Tensor) -> tf.Tensor:
    squares = tf.square(gradient)
    return tf.sqrt(tf.reduce_sum(squares, axis=list(range(squares.shape.rank - 1))))
