"""One projective transform of an image: how it is turned, moved, slanted and scaled, all at once.

A matrix [3, 3] leads from a place (x, y, 1) of the image that comes out to the place of the image
that went in whose colour it shows: x to the right and y down, in pixels from the centre. What is
done first to an image stands leftmost in a product of them.
"""

from __future__ import annotations

import math
from typing import Literal

import tensorflow as tf

Fill = Literal["nearest", "reflect", "constant"]
"""What shows beyond an image's edges: its edge, its mirror image, or black."""


def rotation(degrees: tf.Tensor) -> tf.Tensor:
    """The matrix that turns an image counterclockwise."""
    cosine, sine = _cosine_and_sine(degrees)
    return _matrix([cosine, -sine, 0.0], [sine, cosine, 0.0])


def shift(right: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """The matrix that moves an image by so many pixels."""
    return _matrix([1.0, 0.0, -right], [0.0, 1.0, -down])


def shear(degrees: tf.Tensor) -> tf.Tensor:
    """The matrix that slants what is upright, and spreads the rows as that of Keras does."""
    cosine, sine = _cosine_and_sine(degrees)
    return _matrix([1.0, -sine, 0.0], [0.0, cosine, 0.0])


def scale(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The matrix that makes an image half as large by 2, and mirrors it by -1."""
    return _matrix([x, 0.0, 0.0], [0.0, y, 0.0])


def projected(image: tf.Tensor, matrix: tf.Tensor, fill: Fill) -> tf.Tensor:
    """An image float32 [height, width, channels] as a matrix moves it; the same shape, bilinear.

    The very same values come out where the matrix leads from pixel to pixel, as a mirror's does.
    It is written for XLA, which makes one loop of it, several times as fast on a CPU as
    `ImageProjectiveTransformV3`.
    """
    height, width, _ = image.shape
    x = tf.range(width, dtype=tf.float32) - (width - 1) / 2
    y = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2
    columns, rows = (row[0] * x + row[1] * y + row[2] for row in tf.unstack(matrix)[:2])
    if fill == "constant":
        image = tf.pad(image, [[1, 1], [1, 1], [0, 0]])  # then black is what is nearest
    return _between_pixels(image, _inside(rows, height, fill), _inside(columns, width, fill))


def _inside(places: tf.Tensor, length: int, fill: Fill) -> tf.Tensor:
    """Places from the centre of a line as places on it, counted in pixels from its first."""
    places += (length - 1) / 2
    if fill == "reflect":
        places = tf.math.floormod(places + 0.5, 2.0 * length)
        places = tf.minimum(places, 2.0 * length - places) - 0.5
    if fill == "constant":
        places, length = places + 1, length + 2
    return tf.clip_by_value(places, 0.0, length - 1.0)


def _between_pixels(image: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """The colours at places [height, width] of an image."""
    height, width, channels = image.shape
    pixels = tf.reshape(image, [height * width, channels])
    above, left = tf.floor(rows), tf.floor(columns)
    share_below, share_right = (rows - above)[..., None], (columns - left)[..., None]
    top, first = tf.cast(above, tf.int32), tf.cast(left, tf.int32)
    bottom, last = tf.minimum(top + 1, height - 1), tf.minimum(first + 1, width - 1)

    def along(row: tf.Tensor) -> tf.Tensor:
        on_left, on_right = (tf.gather(pixels, row * width + column) for column in (first, last))
        return (1 - share_right) * on_left + share_right * on_right

    return (1 - share_below) * along(top) + share_below * along(bottom)


def _cosine_and_sine(degrees: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    radians = degrees * (math.pi / 180)
    return tf.cos(radians), tf.sin(radians)


def _matrix(*rows: list[tf.Tensor | float]) -> tf.Tensor:
    return tf.stack([tf.stack(row) for row in (*rows, [0.0, 0.0, 1.0])])
