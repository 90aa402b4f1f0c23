"""The bytes of an image file to its pixels, upright; and why some give none."""

from __future__ import annotations

import io

import numpy as np
import tensorflow as tf

from trainer.data.images.formats import (
    JPEG_SIGNATURE,
    MOST_PIXELS,
    PNG_SIGNATURE,
    end_of_first_picture,
    has_alpha,
    image_format,
    refusal,
)
from trainer.data.images.orientation import orientation, upright

_LONGEST_SIDE = int(MOST_PIXELS**0.5)
"""Of an image whose pixels need not be counted."""


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """JPEG, PNG, GIF, BMP or WebP bytes to uint8 RGB [height, width, 3], upright.

    Of a moving GIF the first picture; transparency is dropped, 16 bits become 8. An image that is
    cut off, or that has more than `MOST_PIXELS` pixels, fails: the latter before any memory is
    taken for them.
    """
    return tf.cond(_is_plain(encoded), lambda: _read(encoded), lambda: _looked_into(encoded))


def decode_error(encoded: tf.Tensor) -> str | None:
    """What is wrong with an image, said of its file: "is empty"; None where it decodes.

    Raises:
        tf.errors.ResourceExhaustedError: there is no memory for it, which is not its fault.
    """
    try:
        _decode_in_graph(encoded)
    except tf.errors.OpError:
        return _what_is_wrong(encoded.numpy())
    return None


def reason(error: tf.errors.OpError) -> str:
    """The first line of what TensorFlow says, without its names of operations."""
    return error.message.splitlines()[0].rpartition("}} ")[2].partition(" [Op:")[0]


def _what_is_wrong(encoded: bytes) -> str | None:
    # Once more, outside of the graph: there the message is of the image alone.
    try:
        _first_picture(encoded)
    except ValueError as refused:
        return str(refused)
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        return f"cannot be read as an image ({reason(error)})"
    return None


_decode_in_graph = tf.function(decode, input_signature=[tf.TensorSpec([], tf.string)])


def _is_plain(encoded: tf.Tensor) -> tf.Tensor:
    """Whether TensorFlow reads an image as it should be, without a further look into it.

    So it is with JPEGs and PNGs without Exif. A further look takes Python, for as long as a small
    photo takes to decode.
    """
    start = tf.strings.substr(encoded, 0, 3)
    small = tf.cond(
        start == JPEG_SIGNATURE,
        lambda: _are_short(tf.image.extract_jpeg_shape(encoded)),
        lambda: (start == PNG_SIGNATURE[:3]) & _are_short(_png_sides(encoded)),
    )
    return small & ~_may_have_exif(encoded)


def _are_short(sides: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(sides <= _LONGEST_SIDE)


def _png_sides(encoded: tf.Tensor) -> tf.Tensor:
    # Not the eight bytes alone: where a file ends before, TensorFlow puts all of it into the error.
    start = tf.strings.substr(encoded, 0, 24)
    return tf.io.decode_raw(start, tf.int32, little_endian=False, fixed_length=24)[4:]


def _may_have_exif(encoded: tf.Tensor) -> tf.Tensor:
    # Of TensorFlow's ways to find a word the one that need not look at every byte.
    without_it = tf.strings.regex_replace(encoded, "(?i)exif", "", replace_global=False)
    return without_it != encoded


def _looked_into(encoded: tf.Tensor) -> tf.Tensor:
    # One operation, for those in a branch that is not taken cost time too.
    image = tf.numpy_function(_first_picture, [encoded], tf.uint8, stateful=False)
    return tf.ensure_shape(image, [None, None, 3])


def _first_picture(encoded: bytes) -> np.ndarray:
    """The pixels of any image that we read.

    Raises:
        ValueError: it is of a kind that TensorFlow cannot read, or too large.
    """
    refused = refusal(io.BytesIO(encoded))
    if refused is not None:
        raise ValueError(refused)
    name = image_format(encoded)
    if name == "GIF" and (end := end_of_first_picture(io.BytesIO(encoded))):
        encoded = encoded[:end] + b";"  # TensorFlow would decode all that follow as well
    # Of a WebP TensorFlow reads as many channels as it has, and no other number.
    channels = 4 if name == "WebP" and has_alpha(encoded) else 3
    image = _read(encoded, channels).numpy()[..., :3]
    return upright(image, orientation(encoded))


def _read(encoded: tf.Tensor | bytes, channels: int = 3) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels, expand_animations=False)
