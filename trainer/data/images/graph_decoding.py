"""Encoded images to upright RGB pixels by operations of TensorFlow alone, for exported graphs.

The pixels are those of `decode_scaled`, which has Python read the headers of images other than
plain JPEG and PNG. What that refuses fails here too, at times with TensorFlow's own message.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from trainer.data.images.formats import (
    JPEG_SIGNATURE,
    MAX_PIXELS,
    PNG_SIGNATURE,
    WEBP_ALPHA,
    WEBP_ANIMATION,
)
from trainer.data.images.graph_orientation import orientation_in_graph, upright
from trainer.data.images.resizing import RATIOS, Decoded, Scale

_HEADER_BYTES = 32
_PALETTE_BYTES = 4 * 256


def decode_in_graph(encoded: tf.Tensor, scale: Scale) -> Decoded:
    """JPEG, PNG, GIF, BMP or WebP bytes to upright pixels; a JPEG at the ratio of its scale.

    Raises:
        tf.errors.OpError: when it runs: the image cannot be decoded, or is too large.
    """
    with tf.control_dependencies([_check_sides(encoded), _check_bmp(encoded)]):
        encoded = tf.identity(encoded)
    image = tf.cond(_is_jpeg(encoded), lambda: _jpeg(encoded, scale), lambda: _full_scale(encoded))
    return Decoded(
        *tf.cond(
            _may_have_exif(encoded),
            lambda: upright(image, orientation_in_graph(encoded)),
            lambda: image,
        )
    )


def _jpeg(encoded: tf.Tensor, scale: Scale) -> Decoded:
    sides = tf.image.extract_jpeg_shape(encoded)[:2]
    decoders = [functools.partial(tf.io.decode_jpeg, encoded, 3, ratio=each) for each in RATIOS]
    place = scale(sides)
    ratio = tf.gather(tf.constant(RATIOS, tf.float32), place)
    pixels = tf.switch_case(place, decoders)
    return Decoded(pixels, tf.cast(sides, tf.float32) / ratio, tf.zeros([2]))


def _full_scale(encoded: tf.Tensor) -> Decoded:
    image = tf.cond(_is_webp(encoded), lambda: _webp(encoded), lambda: _rgb(encoded))
    return Decoded.whole(tf.ensure_shape(image, [None, None, 3]))


def _rgb(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_image(encoded, 3, expand_animations=False)


def _webp(encoded: tf.Tensor) -> tf.Tensor:
    """TensorFlow decodes a WebP only into as many channels as it has."""
    header = _bytes(encoded, 0, _HEADER_BYTES)
    extended, lossless = (tf.strings.substr(encoded, 12, 4) == kind for kind in (b"VP8X", b"VP8L"))
    alpha = (extended & (header[20] & WEBP_ALPHA > 0)) | (lossless & (header[24] & 0x10 > 0))
    animated = extended & (header[20] & WEBP_ANIMATION > 0)
    refused = tf.debugging.Assert(
        alpha | ~animated, ["an animated WebP without alpha cannot be decoded"]
    )
    with tf.control_dependencies([refused]):
        encoded = tf.identity(encoded)
    return tf.cond(
        alpha,
        lambda: tf.io.decode_image(encoded, 4, expand_animations=False)[..., :3],
        lambda: _rgb(encoded),
    )


def _check_sides(encoded: tf.Tensor) -> tf.Operation:
    """The size that a JPEG or PNG claims, before memory is allocated for it."""
    is_png = tf.strings.substr(encoded, 0, 8) == PNG_SIGNATURE
    sides = tf.cond(
        _is_jpeg(encoded),
        lambda: tf.cast(tf.image.extract_jpeg_shape(encoded)[:2], tf.int64),
        lambda: tf.cond(is_png, lambda: _png_sides(encoded), lambda: tf.zeros([2], tf.int64)),
    )
    message = f"the image has more than the limit of {MAX_PIXELS} pixels"
    # A PNG's sides are less than 2³² each: as floats their product does not overflow.
    pixels = tf.reduce_prod(tf.cast(sides, tf.float64))
    return tf.debugging.Assert(pixels <= MAX_PIXELS, [message])


def _png_sides(encoded: tf.Tensor) -> tf.Tensor:
    sides = tf.reshape(_bytes(encoded, 16, 8), [2, 4])
    return tf.cast(tf.linalg.matvec(sides, tf.constant([1 << 24, 1 << 16, 1 << 8, 1])), tf.int64)


def _check_bmp(encoded: tf.Tensor) -> tf.Operation:
    """TensorFlow takes the bytes of an 8-bit BMP for shades of grey and ignores its palette."""
    header = _bytes(encoded, 0, _HEADER_BYTES)
    is_bmp = tf.strings.substr(encoded, 0, 2) == b"BM"
    bits = header[28] + 256 * header[29]
    start = 14 + header[14] + 256 * (header[15] + 256 * header[16])
    is_read = tf.cond(
        is_bmp & (bits == 8),
        lambda: _is_grey(tf.reshape(_bytes(encoded, start, _PALETTE_BYTES), [256, 4])),
        lambda: ~is_bmp | (bits >= 24),
    )
    return tf.debugging.Assert(is_read, ["a BMP with a palette or 16 bits; save it as PNG"])


def _is_grey(palette: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(palette[:, :3] == tf.range(256)[:, None])


def _is_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(encoded, 0, 3) == JPEG_SIGNATURE


def _is_webp(encoded: tf.Tensor) -> tf.Tensor:
    riff = tf.strings.substr(encoded, 0, 4) == b"RIFF"
    is_long = tf.strings.length(encoded) >= _HEADER_BYTES
    return riff & is_long & (tf.strings.substr(encoded, tf.where(is_long, 8, 0), 4) == b"WEBP")


def _bytes(encoded: tf.Tensor, start: int | tf.Tensor, count: int) -> tf.Tensor:
    """So many bytes as int32; zeros behind the end."""
    start = tf.minimum(start, tf.strings.length(encoded))
    part = tf.strings.substr(encoded, start, count)
    return tf.cast(tf.io.decode_raw(part, tf.uint8, fixed_length=count), tf.int32)


def _may_have_exif(encoded: tf.Tensor) -> tf.Tensor:
    without_it = tf.strings.regex_replace(encoded, "(?i)exif", "", replace_global=False)
    return without_it != encoded
