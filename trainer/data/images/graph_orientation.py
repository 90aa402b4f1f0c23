"""The orientation of a photo by its Exif, read by operations of TensorFlow alone.

The same as `orientation`, which Python reads, for graphs that are exported.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from trainer.data.images.formats import JPEG_END, JPEG_SCAN, JPEG_SIGNATURE, PNG_SIGNATURE
from trainer.data.images.orientation import (
    APP1,
    COLUMNS_FLIPPED,
    EXIF,
    ORIENTATION_TAG,
    ROWS_FLIPPED,
    TRANSPOSED,
    UPRIGHT,
)
from trainer.data.images.resizing import Decoded

_LITTLE_ENDIAN, _BIG_ENDIAN = b"II*\x00", b"MM\x00*"
_SHORT, _LONG = 3, 4
_STANDALONE_MARKERS = (0x01, *range(0xD0, 0xD8))
"""Of JPEG segments that have no length."""

_PNG_CHUNKS_START, _WEBP_CHUNKS_START = 8, 12


def orientation_in_graph(encoded: tf.Tensor) -> tf.Tensor:
    """The orientation of an encoded image, int64 1 (upright) to 8; 1 where it has none."""
    content = tf.io.decode_raw(encoded, tf.uint8)
    is_jpeg = tf.strings.substr(encoded, 0, 3) == JPEG_SIGNATURE
    is_png = tf.strings.substr(encoded, 0, 8) == PNG_SIGNATURE
    start, end = tf.cond(
        is_jpeg,
        lambda: _jpeg_exif(content),
        lambda: tf.cond(
            is_png,
            lambda: _chunk(content, b"eXIf", _PNG_CHUNKS_START),
            lambda: _chunk(content, b"EXIF", _WEBP_CHUNKS_START),
        ),
    )
    exif = content[start:end]
    tiff = tf.cond(_starts_with(exif, EXIF), lambda: exif[len(EXIF) :], lambda: exif)
    found = _orientation_tag(tiff)
    return tf.where((found >= 1) & (found <= 8), found, UPRIGHT)


def upright(image: Decoded, orientation: tf.Tensor) -> Decoded:
    """An image rotated and flipped from its orientation to upright."""
    pixels, sides, start = image
    pixels = _where(orientation, TRANSPOSED, pixels, lambda i: tf.transpose(i, [1, 0, 2]))
    sides = _where(orientation, TRANSPOSED, sides, lambda s: s[::-1])
    pixels = _where(orientation, COLUMNS_FLIPPED, pixels, lambda i: i[:, ::-1])
    pixels = _where(orientation, ROWS_FLIPPED, pixels, lambda i: i[::-1])
    beyond = tf.cast(tf.shape(pixels)[:2], tf.float32) - sides
    start = _where(orientation, ROWS_FLIPPED, start, lambda s: tf.stack([beyond[0], s[1]]))
    start = _where(orientation, COLUMNS_FLIPPED, start, lambda s: tf.stack([s[0], beyond[1]]))
    return Decoded(pixels, sides, start)


def _where(
    orientation: tf.Tensor,
    among: tuple[int, ...],
    image: tf.Tensor,
    change: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    is_among = tf.reduce_any(orientation == tf.constant(among, tf.int64))
    return tf.cond(is_among, lambda: change(image), lambda: image)


@tf.function
def _jpeg_exif(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Start and end of the first Exif before a JPEG's scan; two zeros where it has none."""
    # A marker is 0xff, any number of times, and a byte that is neither that nor 0.
    is_marker = (content[:-1] == 0xFF) & (content[1:] != 0xFF) & (content[1:] != 0)
    markers = tf.where(is_marker)[:, 0]
    place, start, end = tf.constant(2, tf.int64), tf.constant(0, tf.int64), tf.constant(0, tf.int64)
    goes_on = tf.constant(True)
    while goes_on:
        later = markers[tf.searchsorted(markers, place[None])[0] :]
        if tf.size(later) == 0:
            goes_on = tf.constant(False)
        else:
            marker = content[later[0] + 1]
            place = later[0] + 2
            has_length = tf.reduce_all(marker != tf.constant(_STANDALONE_MARKERS, tf.uint8))
            if has_length:
                length = _number(content, place, 2, little=tf.constant(False))
                is_exif = (marker == APP1) & _starts_with(content[place + 2 : place + length], EXIF)
                if is_exif:
                    start, end = place + 2, place + length
                is_last = (marker == JPEG_SCAN) | (marker == JPEG_END)
                goes_on = ~(is_exif | is_last | (length < 2))
                place += length
    return start, end


@tf.function
def _chunk(content: tf.Tensor, name: bytes, place: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Start and end of the first chunk of a name in a PNG or WebP; two zeros where it has none."""
    is_png = name == b"eXIf"
    place = tf.constant(place, tf.int64)
    start, end = tf.constant(0, tf.int64), tf.constant(0, tf.int64)
    while place < tf.size(content, tf.int64):
        length = _number(content, place + (0 if is_png else 4), 4, little=tf.constant(not is_png))
        if _starts_with(content[place + (4 if is_png else 0) :], name):
            start, end = place + 8, place + 8 + length
            place = tf.size(content, tf.int64)
        else:
            place += 12 + length if is_png else 8 + length + length % 2
    return start, end


@tf.function
def _orientation_tag(tiff: tf.Tensor) -> tf.Tensor:
    """The value of the first integer tag for the orientation (TIFF 6.0, section 2); 1 without."""
    little = _starts_with(tiff, _LITTLE_ENDIAN)
    found = tf.constant(UPRIGHT, tf.int64)
    if little | _starts_with(tiff, _BIG_ENDIAN):
        directory = _number(tiff, tf.constant(4, tf.int64), 4, little)
        entry = directory + 2
        end = tf.minimum(entry + 12 * _number(tiff, directory, 2, little), tf.size(tiff, tf.int64))
        while entry < end:
            kind = _number(tiff, entry + 2, 2, little)
            is_integer = (kind == 1) | (kind == _SHORT) | (kind == _LONG)
            if (_number(tiff, entry, 2, little) == ORIENTATION_TAG) & is_integer:
                size = tf.where(kind == _SHORT, tf.constant(2, tf.int64), kind)  # a BYTE is 1
                found = _number(tiff, entry + 8, size, little)
                entry = end
            else:
                entry += 12
    return found


def _number(
    content: tf.Tensor, start: tf.Tensor, size: int | tf.Tensor, little: tf.Tensor
) -> tf.Tensor:
    """An unsigned integer, int64; of the bytes that are left where the content ends before."""
    found = tf.cast(content[start : start + size], tf.int64)
    powers = tf.bitwise.left_shift(
        tf.constant(1, tf.int64), 8 * tf.range(tf.size(found, tf.int64), dtype=tf.int64)
    )
    return tf.reduce_sum(powers * tf.cond(little, lambda: found, lambda: found[::-1]))


def _starts_with(content: tf.Tensor, start: bytes) -> tf.Tensor:
    expected = tf.constant(list(start))
    given = content[: len(start)]
    # Compared in full length: a shorter content is filled up with what differs.
    filled = tf.pad(
        tf.cast(given, tf.int32), [[0, len(start) - tf.size(given)]], constant_values=-1
    )
    return tf.reduce_all(filled == tf.cast(expected, tf.int32))
