"""Some images of a split, small, for people to look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.data.images.decoding import decode
from trainer.data.splits import Split


@dataclasses.dataclass(frozen=True)
class Thumbnail:
    """A small image, upright, with the sides of the original in proportion."""

    pixels: np.ndarray
    """uint8 [height, width, 3]."""

    @property
    def jpeg(self) -> bytes:
        """As a file."""
        return tf.io.encode_jpeg(self.pixels, quality=80).numpy()


def encoded_images(split: Split, positions: Sequence[int]) -> list[bytes]:
    """The bytes of the images at some positions of a split, in the order asked for."""
    wanted = tf.constant(sorted(set(positions)), tf.int64)
    chosen = split.references().enumerate()
    chosen = chosen.filter(lambda position, _: tf.reduce_any(position == wanted))
    chosen = chosen.take(len(wanted)).map(lambda position, pair: (position, split.read(pair[0])))
    found = {int(position): encoded for position, encoded in chosen.as_numpy_iterator()}
    return [found[position] for position in positions]


def thumbnails(split: Split, positions: Sequence[int], side: int) -> list[Thumbnail]:
    """The images at some positions, whose longer side has so many pixels."""
    return [_thumbnail(encoded, side) for encoded in encoded_images(split, positions)]


def _thumbnail(encoded: bytes, side: int) -> Thumbnail:
    image = tf.image.resize(
        decode(tf.constant(encoded)), [side, side], preserve_aspect_ratio=True, antialias=True
    )
    return Thumbnail(tf.saturate_cast(tf.round(image), tf.uint8).numpy())
