"""Encoded images to upright RGB pixels, by TensorFlow; and why some cannot be decoded."""

from __future__ import annotations

import functools
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
from trainer.data.images.orientation import (
    COLUMNS_FLIPPED,
    ROWS_FLIPPED,
    TRANSPOSED,
    apply_exif_orientation,
    orientation,
)
from trainer.data.images.resizing import RATIOS, Decoded, Scale, full_scale

_SAFE_SIDE = int(MAX_PIXELS**0.5)
"""An image whose sides are no longer has at most MAX_PIXELS pixels."""


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """JPEG, PNG, GIF, BMP or WebP bytes to uint8 RGB [height, width, 3], upright.

    Only the first frame of an animation is decoded. Alpha is dropped; 16 bits become 8.

    Raises:
        tf.errors.OpError: when it runs. The image is cut off, of no supported format, or has more
            than MAX_PIXELS pixels; the latter is found before memory is allocated for them.
    """
    return decode_scaled(encoded, full_scale).pixels


def decode_scaled(encoded: tf.Tensor, scale: Scale) -> Decoded:
    """The same, of which a JPEG is decoded at a fraction of its sides.

    A JPEG of 12 megapixels takes half the time at an eighth. TensorFlow's `dct_method` would gain
    nothing: INTEGER_FAST is its default at the ratios 1 and 2, and without effect at 4 and 8.

    Args:
        encoded: The image's bytes.
        scale: At which ratio, from a JPEG's sides.

    Raises:
        tf.errors.OpError: as `decode`.
    """
    is_plain, place, sides = _header(encoded, scale)
    branches = [functools.partial(_decode_plain, encoded, sides, ratio) for ratio in RATIOS]
    in_python = functools.partial(_decode_in_python, encoded, place)
    branch = tf.where(is_plain, place, len(branches))
    return Decoded(*tf.switch_case(branch, [*branches, in_python]))


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
        _first_frame(encoded, 0)
    except ValueError as error:
        return str(error)
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        return f"cannot be read as an image ({short_message(error)})"
    return None


_decode_in_graph = tf.function(decode, input_signature=[tf.TensorSpec([], tf.string)])


def _header(encoded: tf.Tensor, scale: Scale) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Whether an image is plain, the place of its ratio in RATIOS, and a JPEG's sides, int32 [2].

    TensorFlow alone decodes plain ones correctly: a JPEG or PNG without Exif, not too large. Others
    take `_decode_in_python`, whose call costs as much as decoding a small photo.
    """
    is_jpeg = tf.strings.substr(encoded, 0, 3) == JPEG_SIGNATURE
    return tf.cond(
        is_jpeg,
        lambda: _jpeg_header(encoded, scale),
        lambda: (_is_plain_png(encoded), 0, tf.zeros([2], tf.int32)),
    )


def _jpeg_header(encoded: tf.Tensor, scale: Scale) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    sides = tf.image.extract_jpeg_shape(encoded)[:2]
    return _are_safe_sides(sides) & ~_has(encoded, "Exif"), scale(sides), sides


def _is_plain_png(encoded: tf.Tensor) -> tf.Tensor:
    is_png = tf.strings.substr(encoded, 0, 3) == PNG_SIGNATURE[:3]
    return is_png & _are_safe_sides(_png_sides(encoded)) & ~_has(encoded, "eXIf")


def _are_safe_sides(sides: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(sides <= _SAFE_SIDE)


def _png_sides(encoded: tf.Tensor) -> tf.Tensor:
    # Not these eight bytes alone: of a shorter file TensorFlow puts all bytes into its error.
    start = tf.strings.substr(encoded, 0, 24)
    return tf.io.decode_raw(start, tf.int32, little_endian=False, fixed_length=24)[4:]


def _has(encoded: tf.Tensor, word: str) -> tf.Tensor:
    # Of TensorFlow's ways to find a word the one that need not compare at every byte.
    without_it = tf.strings.regex_replace(encoded, word, "", replace_global=False)
    return tf.strings.length(without_it) != tf.strings.length(encoded)


def _decode_plain(encoded: tf.Tensor, sides: tf.Tensor, ratio: int) -> Decoded:
    if ratio > 1:
        sides = tf.cast(sides, tf.float32) / ratio
        return Decoded(_decode_jpeg(encoded, ratio), sides, tf.zeros([2]))
    return Decoded.whole(_decode_as_stored(encoded))


def _decode_in_python(encoded: tf.Tensor, place: tf.Tensor) -> Decoded:
    # One operation, because those in a branch that is not taken cost time too.
    types = [tf.uint8, tf.float32, tf.float32]
    found = tf.numpy_function(_first_frame, [encoded, place], types, stateful=False)
    shapes = ([None, None, 3], [2], [2])
    return Decoded(*(tf.ensure_shape(*pair) for pair in zip(found, shapes, strict=True)))


def _first_frame(encoded: Any, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Any supported image as `Decoded`, a JPEG at one of the RATIOS.

    Raises:
        ValueError: it is of a kind that TensorFlow cannot read, or too large.
    """
    if isinstance(encoded, np.ndarray):  # outside of a graph
        encoded = encoded.item()
    unsupported = unsupported_reason(io.BytesIO(encoded))
    if unsupported is not None:
        raise ValueError(unsupported)
    if (ratio := RATIOS[place]) > 1:
        jpeg = tf.constant(encoded)  # once: each operation would copy the bytes
        image = _decode_jpeg(jpeg, ratio).numpy()
        sides = tf.image.extract_jpeg_shape(jpeg).numpy()[:2] / ratio
    else:
        image = _decode_stored_frame(encoded)
        sides = np.array(image.shape[:2])
    turned = orientation(encoded)
    image = apply_exif_orientation(image, turned)
    sides = sides[::-1] if turned in TRANSPOSED else sides
    is_flipped = turned in ROWS_FLIPPED, turned in COLUMNS_FLIPPED
    start = np.where(is_flipped, image.shape[:2] - sides, 0)
    return image, np.float32(sides), np.float32(start)


def _decode_stored_frame(encoded: bytes) -> np.ndarray:
    name = image_format(encoded)
    if name == "GIF" and (end := end_of_first_frame(io.BytesIO(encoded))):
        encoded = encoded[:end] + b";"  # TensorFlow would decode all frames
    # TensorFlow decodes a WebP only into as many channels as it has.
    channels = 4 if name == "WebP" and has_alpha(encoded) else 3
    return _decode_as_stored(encoded, channels).numpy()[..., :3]


def _decode_as_stored(encoded: tf.Tensor | bytes, channels: int = 3) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels, expand_animations=False)


def _decode_jpeg(encoded: tf.Tensor | bytes, ratio: int) -> tf.Tensor:
    return tf.io.decode_jpeg(encoded, 3, ratio=ratio)
