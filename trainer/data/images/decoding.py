"""Encoded images to upright RGB pixels, by TensorFlow; and why some cannot be decoded."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.data.images.formats import (
    JPEG_SIGNATURE,
    MAX_PIXELS,
    PNG_SIGNATURE,
    end_of_first_frame,
    has_alpha,
    image_format,
    unsupported_reason,
)
from trainer.data.images.orientation import apply_exif_orientation, orientation

_SAFE_SIDE = int(MAX_PIXELS**0.5)
"""An image whose sides are no longer has at most MAX_PIXELS pixels."""


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """JPEG, PNG, GIF, BMP or WebP bytes to uint8 RGB [height, width, 3], upright.

    Only the first frame of an animation is decoded. Alpha is dropped; 16 bits become 8.

    Raises:
        tf.errors.OpError: when it runs. The image is cut off, of no supported format, or has more
            than MAX_PIXELS pixels; the latter is found before memory is allocated for them.
    """
    return tf.cond(
        _is_plain(encoded),
        lambda: _decode_as_stored(encoded),
        lambda: _decode_in_python(encoded),
    )


def decode_error(encoded: tf.Tensor) -> str | None:
    """What is wrong with an image, to follow its name: "is empty"; None where it decodes.

    Raises:
        tf.errors.ResourceExhaustedError: memory ran out, which says nothing about the image.
    """
    try:
        _decode_in_graph(encoded)
    except tf.errors.OpError:
        return _error_outside_graph(encoded.numpy())
    return None


def short_message(error: tf.errors.OpError) -> str:
    """The first line of a TensorFlow error, without the names of operations."""
    return error.message.splitlines()[0].rpartition("}} ")[2].partition(" [Op:")[0]


def _error_outside_graph(encoded: bytes) -> str | None:
    """As `decode_error`: outside of a graph TensorFlow's message is about the image alone."""
    try:
        _first_frame(encoded)
    except ValueError as error:
        return str(error)
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        return f"cannot be read as an image ({short_message(error)})"
    return None


_decode_in_graph = tf.function(decode, input_signature=[tf.TensorSpec([], tf.string)])


def _is_plain(encoded: tf.Tensor) -> tf.Tensor:
    """Whether TensorFlow alone decodes it correctly: a JPEG or PNG without Exif, not too large.

    Other images take `_decode_in_python`, whose call costs as much as decoding a small photo.
    """
    start = tf.strings.substr(encoded, 0, 3)
    small = tf.cond(
        start == JPEG_SIGNATURE,
        lambda: _are_safe_sides(tf.image.extract_jpeg_shape(encoded)),
        lambda: (start == PNG_SIGNATURE[:3]) & _are_safe_sides(_png_sides(encoded)),
    )
    return small & ~_may_have_exif(encoded)


def _are_safe_sides(sides: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(sides <= _SAFE_SIDE)


def _png_sides(encoded: tf.Tensor) -> tf.Tensor:
    # Not these eight bytes alone: of a shorter file TensorFlow puts all bytes into its error.
    start = tf.strings.substr(encoded, 0, 24)
    return tf.io.decode_raw(start, tf.int32, little_endian=False, fixed_length=24)[4:]


def _may_have_exif(encoded: tf.Tensor) -> tf.Tensor:
    # Of TensorFlow's ways to find a word the one that need not compare at every byte.
    without_it = tf.strings.regex_replace(encoded, "(?i)exif", "", replace_global=False)
    return without_it != encoded


def _decode_in_python(encoded: tf.Tensor) -> tf.Tensor:
    # One operation, because those in a branch that is not taken cost time too.
    image = tf.numpy_function(_first_frame, [encoded], tf.uint8, stateful=False)
    return tf.ensure_shape(image, [None, None, 3])


def _first_frame(encoded: Any) -> np.ndarray:
    """Any supported image, uint8 RGB [height, width, 3], upright.

    Raises:
        ValueError: it is of a kind that TensorFlow cannot read, or too large.
    """
    if isinstance(encoded, np.ndarray):  # outside of a graph
        encoded = encoded.item()
    unsupported = unsupported_reason(io.BytesIO(encoded))
    if unsupported is not None:
        raise ValueError(unsupported)
    name = image_format(encoded)
    if name == "GIF" and (end := end_of_first_frame(io.BytesIO(encoded))):
        encoded = encoded[:end] + b";"  # TensorFlow would decode all frames
    # TensorFlow decodes a WebP only into as many channels as it has.
    channels = 4 if name == "WebP" and has_alpha(encoded) else 3
    image = _decode_as_stored(encoded, channels).numpy()[..., :3]
    return apply_exif_orientation(image, orientation(encoded))


def _decode_as_stored(encoded: tf.Tensor | bytes, channels: int = 3) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels, expand_animations=False)
