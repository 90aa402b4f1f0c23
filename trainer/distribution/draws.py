"""Random numbers of a replica: those that its rows of the batch have on one device.

A step that draws a number for each row, by a shape whose first dimension is the batch, would give
the first row of every replica the same. So the whole batch is drawn for, and a replica takes the
numbers of its rows.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from trainer.distribution.rows import Rows

DRAWS = (
    "stateless_normal",
    "stateless_uniform",
    "stateless_truncated_normal",
    "stateless_gamma",
    "stateless_poisson",
    "stateless_binomial",
)
"""Functions of tf.random whose first argument is a shape."""


@contextlib.contextmanager
def draws_of_whole_batch(rows: Rows) -> Iterator[None]:
    """Inside, what a step and its Keras layers draw in the shape of these rows is theirs alone."""
    if rows.count == rows.batch_size:
        yield
        return
    dropout = tf.nn.experimental.stateless_dropout
    draws = {name: getattr(tf.random, name) for name in DRAWS}
    for name, draw in draws.items():
        setattr(tf.random, name, functools.partial(_draw, draw, rows))
    tf.nn.experimental.stateless_dropout = functools.partial(_dropout, dropout, rows)
    try:
        yield
    finally:
        tf.nn.experimental.stateless_dropout = dropout
        for name, draw in draws.items():
            setattr(tf.random, name, draw)


def _draw(draw: Callable[..., tf.Tensor], rows: Rows, shape: Any, *args: Any, **kwargs: Any) -> Any:
    static = _static_shape(shape)
    if not static or static[0] != rows.count:
        return draw(shape, *args, **kwargs)
    return draw([rows.batch_size, *static[1:]], *args, **kwargs)[rows.first : rows.last]


def _dropout(
    dropout: Callable[..., tf.Tensor], rows: Rows, x: Any, *args: Any, noise_shape: Any = None, **kwargs: Any
) -> tf.Tensor:
    """Dropout of activations, whose first dimension is the rows, or so many for each row."""
    x = tf.convert_to_tensor(x)
    of_each, more = divmod(x.shape[0] or 0, rows.count)
    if more or not of_each:
        return dropout(x, *args, noise_shape=noise_shape, **kwargs)
    ones = tf.ones([rows.batch_size * of_each, *x.shape[1:]], x.dtype)
    if noise_shape is not None:
        own = _static_shape(noise_shape)
        noise_shape = [ones.shape[0] if own[0] == x.shape[0] else own[0], *own[1:]]
    kept = dropout(ones, *args, noise_shape=noise_shape, **kwargs)
    return x * kept[rows.first * of_each : rows.last * of_each]


def _static_shape(shape: Any) -> Sequence[int]:
    """As numbers; empty where it is known only when the graph runs."""
    if isinstance(shape, tf.TensorShape):
        return shape.as_list()
    if isinstance(shape, tf.Tensor):
        shape = tf.get_static_value(shape)
    return [] if shape is None else [int(size) for size in shape]
