"""Some images of a split, small, for people to look at."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from trainer.data.images.decoding import decode_scaled
from trainer.data.images.resizing import smallest_scale
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.splits import Split

MOST_CACHED = 2000
"""Of larger splits no thumbnails are cached."""

_ABOUT = "thumbnails at a DCT scale, JPEG of quality 80"
"""Part of the cache's key: to be changed whenever the thumbnails change."""


@dataclasses.dataclass(frozen=True)
class Thumbnail:
    """A small image, upright, with the sides of the original in proportion."""

    jpeg: bytes
    """As a file."""

    @property
    def pixels(self) -> np.ndarray:
        """uint8 [height, width, 3]."""
        return tf.io.decode_jpeg(self.jpeg).numpy()


def encoded_images(split: Split, positions: Sequence[int]) -> list[bytes]:
    """The bytes of the images at some positions of a split, in the order asked for."""
    wanted = tf.constant(sorted(set(positions)), tf.int64)
    chosen = split.references().enumerate()
    chosen = chosen.filter(lambda position, _: tf.reduce_any(position == wanted))
    chosen = chosen.take(len(wanted)).map(lambda position, pair: (position, split.read(pair[0])))
    found = {int(position): encoded for position, encoded in chosen.as_numpy_iterator()}
    return [found[position] for position in positions]


def thumbnails(
    split: Split, positions: Sequence[int], side: int, cache: JsonCache = NO_CACHE
) -> list[Thumbnail]:
    """The images at some positions, whose longer side has so many pixels.

    Args:
        split: The examples.
        positions: Which of them.
        side: Pixels.
        cache: Of a small split it keeps all thumbnails, where a split takes seconds to be opened.
    """
    if cache is NO_CACHE or split.examples > MOST_CACHED:
        references = tf.data.Dataset.from_tensor_slices(encoded_images(split, positions))
        return [Thumbnail(jpeg) for jpeg in _jpegs(references, side)]

    def compute() -> list[str]:
        encoded = split.references().map(lambda reference, _: split.read(reference))
        return [base64.b64encode(jpeg).decode() for jpeg in _jpegs(encoded, side)]

    kept = cache.get_or_compute([_ABOUT, side, split.fingerprint], compute)
    return [Thumbnail(base64.b64decode(kept[position])) for position in positions]


def _jpegs(encoded: tf.data.Dataset, side: int) -> Iterator[bytes]:
    def jpeg(image: tf.Tensor) -> tf.Tensor:
        pixels = decode_scaled(image, smallest_scale(side, "pad")).pixels
        small = tf.image.resize(pixels, [side, side], preserve_aspect_ratio=True, antialias=True)
        return tf.io.encode_jpeg(tf.saturate_cast(tf.round(small), tf.uint8), quality=80)

    images = encoded.map(jpeg, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    yield from images.as_numpy_iterator()
