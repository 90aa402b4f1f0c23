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

Draw = Callable[..., tf.Tensor]

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
def draws_of_whole_batch(rows: Rows, by_xla: bool) -> Iterator[None]:
    """Inside, what a step and its Keras layers draw in the shape of these rows is theirs alone.

    Args:
        rows: Of the replica.
        by_xla: XLA draws other numbers than TensorFlow from one seed; whether they shall be those.
    """
    if rows.count == rows.batch_size and not by_xla:
        yield
        return
    dropout = tf.nn.experimental.stateless_dropout
    draws = {name: getattr(tf.random, name) for name in DRAWS}
    for name, draw in draws.items():
        setattr(tf.random, name, functools.partial(_draw, _compiled(draw, by_xla), rows))
    of_rows = functools.partial(_dropout, _compiled(dropout, by_xla), rows)
    tf.nn.experimental.stateless_dropout = of_rows
    try:
        yield
    finally:
        tf.nn.experimental.stateless_dropout = dropout
        for name, draw in draws.items():
            setattr(tf.random, name, draw)


def _compiled(draw: Draw, by_xla: bool) -> Draw:
    """The same as a program of XLA's own within the step."""
    if not by_xla:
        return draw

    def draw_by_xla(shape_or_values: Any, *args: Any, **kwargs: Any) -> tf.Tensor:
        # All that is no tensor, the shape above all, is a constant of the program.
        return tf.function(lambda: draw(shape_or_values, *args, **kwargs), jit_compile=True)()

    return draw_by_xla


def _draw(draw: Draw, rows: Rows, shape: Any, *args: Any, **kwargs: Any) -> tf.Tensor:
    static = _static_shape(shape)
    if not static or static[0] != rows.count:
        return draw(shape, *args, **kwargs)
    return draw([rows.batch_size, *static[1:]], *args, **kwargs)[rows.first : rows.last]


def _dropout(
    draw: Draw, rows: Rows, x: Any, *args: Any, noise_shape: Any = None, **kwargs: Any
) -> tf.Tensor:
    """Of activations, whose first dimension is the rows, or so many for each of them."""
    of_each, more = divmod(x.shape[0] or 0, rows.count)
    if more or not of_each:
        return draw(x, *args, noise_shape=noise_shape, **kwargs)
    whole = [rows.batch_size * of_each, *x.shape[1:]]
    if noise_shape is not None:
        first, *others = _static_shape(noise_shape)
        noise_shape = [whole[0] if first == x.shape[0] else first, *others]
    kept = draw(tf.ones(whole, x.dtype), *args, noise_shape=noise_shape, **kwargs)
    return x * kept[rows.first * of_each : rows.last * of_each]


def _static_shape(shape: Any) -> Sequence[int]:
    """As numbers; empty where it is known only when the graph runs."""
    if isinstance(shape, tf.TensorShape):
        return shape.as_list()
    if isinstance(shape, tf.Tensor):
        shape = tf.get_static_value(shape)
    return [] if shape is None else [int(size) for size in shape]
