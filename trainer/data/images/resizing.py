"""Decoded images to squares of a side; and how small a JPEG may be decoded for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from trainer.config.transfer import Resize

RATIOS = (1, 2, 4, 8)
"""By how much a JPEG decoder divides the sides of an image: it skips frequencies of its DCT."""

ANTIALIASED_ABOVE = 2
"""Where no side shrinks by more, bilinear interpolation alone reads every pixel."""

Scale = Callable[[tf.Tensor], tf.Tensor]
"""From the sides of a JPEG, int32 [2], to the place in RATIOS at which it is decoded."""


class Decoded(NamedTuple):
    """The pixels of an image, whose sides may be a fraction of those in its file."""

    pixels: tf.Tensor
    """uint8 [height, width, 3], upright."""

    sides: tf.Tensor
    """Height and width, float32 [2]: the file's by the ratio, which need not be whole numbers. The
    pixels are: those at an edge then reach beyond the image."""

    start: tf.Tensor
    """The place of the image's first corner in the pixels, float32 [2]: 0, but where the image was
    flipped they may reach beyond it there."""

    @classmethod
    def whole(cls, pixels: tf.Tensor) -> Decoded:
        """An image that has its own sides."""
        return cls(pixels, tf.cast(tf.shape(pixels)[:2], tf.float32), tf.zeros([2]))


def full_scale(sides: tf.Tensor) -> tf.Tensor:  # noqa: ARG001 (a Scale)
    """The place of ratio 1: every pixel is decoded."""
    return tf.constant(0)


def smallest_scale(size: int, resize: Resize) -> Scale:
    """The largest ratio that leaves twice the wanted side, for resizing with antialiasing.

    Of an image that is cropped the shorter side counts, of others the longer; the shorter one of an
    image that is squashed is not decoded below the wanted side either.
    """

    def scale(sides: tf.Tensor) -> tf.Tensor:
        longer, shorter = tf.reduce_max(sides), tf.reduce_min(sides)
        room = {
            "squash": lambda: tf.minimum(longer // 2, shorter),
            "crop": lambda: shorter // 2,
            "pad": lambda: longer // 2,
        }[resize]()
        return tf.reduce_sum(tf.cast(room >= [size * ratio for ratio in RATIOS[1:]], tf.int32))

    return scale


def resize_to_square(image: Decoded, size: int, resize: Resize) -> tf.Tensor:
    """An image of any channels as float32 [size, size, channels] in [0, 255].

    An image of at most twice the side is interpolated (bilinear); where a side shrinks by more, the
    filter is Lanczos' over six pixels of the result, `tf.image.resize`'s with antialiasing, which
    leaves an image as sharp as the ones that networks were trained on.

    Args:
        image: Its pixels may be of any channels.
        size: Of the result, in pixels.
        resize: squash changes the proportion of the sides; crop takes the central square; pad puts
            black, 0, beside the shorter side.
    """
    if resize == "pad":
        return _padded(image, size)
    return _resampled(_central_square(image) if resize == "crop" else image, [size, size])


def _padded(image: Decoded, size: int) -> tf.Tensor:
    inner = tf.round(image.sides * (size / tf.reduce_max(image.sides)))
    inner = tf.maximum(tf.cast(inner, tf.int32), 1)
    top, left = tf.unstack((size - inner) // 2)
    return tf.image.pad_to_bounding_box(_resampled(image, inner), top, left, size, size)


def _central_square(image: Decoded) -> Decoded:
    side = tf.reduce_min(image.sides)
    start = image.start + (image.sides - side) / 2
    top, left = tf.unstack(tf.cast(start, tf.int32))
    rows = tf.cast(tf.math.ceil(side), tf.int32)
    pixels = image.pixels[top : top + rows, left : left + rows]
    return Decoded(pixels, tf.stack([side, side]), start - tf.floor(start))


def _resampled(image: Decoded, size: list[int] | tf.Tensor) -> tf.Tensor:
    """The image with these sides, int32 [2]."""
    scale = tf.cast(size, tf.float32) / image.sides
    return tf.cond(
        tf.reduce_any(scale * ANTIALIASED_ABOVE < 1),
        lambda: _antialiased(image, size, scale),
        lambda: tf.image.resize(image.pixels, size),
    )


def _antialiased(image: Decoded, size: list[int] | tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    # tf.image.resize would take the scale from the whole pixels, and shift those of a JPEG whose
    # sides are no multiples of the ratio.
    [resized] = tf.unstack(
        tf.raw_ops.ScaleAndTranslate(
            images=image.pixels[None],
            size=size,
            scale=scale,
            translation=-image.start * scale,
            kernel_type="lanczos3",
            antialias=True,
        ),
        num=1,
    )
    return tf.clip_by_value(resized, 0.0, 255.0)  # beside an edge the filter overshoots
