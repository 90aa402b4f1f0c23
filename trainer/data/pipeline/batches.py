"""Encoded examples to batches of images: shuffle, read, decode, resize, augment, fill up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.transfer import Resize
from trainer.data.images.decoding import decode_scaled
from trainer.data.images.resizing import Decoded, resize_to_square, smallest_scale
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.order import epoch_order, repeated
from trainer.data.splits import Split

PREFETCH = 2
"""Batches made ahead: one ready, one under way."""


REPETITION = 2**32
"""Between the positions of an example that comes more than once in an epoch."""

_REPEATED_TOGETHER = 256


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Blocks of examples that follow each other, of which a pass leaves some out."""

    rows: int
    """Examples a block."""

    choose: Callable[[int], bool]
    """Whether a block is decoded; asked for each in turn, when its first example is due."""


def preparation(resize: Resize) -> str:
    """What an image goes through, in words: changed whenever the pixels that come out change."""
    return (
        "RGB, upright, a JPEG at a DCT scale that leaves twice the side, bilinear, lanczos3 with"
        f" antialiasing above twice the side, {resize} to a square, in [0, 1]"
    )


def decode_and_resize(
    encoded: tf.Tensor, size: int, channels: int = 3, resize: Resize = "squash"
) -> tf.Tensor:
    """Encoded bytes to a float32 image [size, size, channels] in [0, 1], as hub modules take it.

    Three channels are RGB, one is grey: the luma of ITU-R BT.601, whatever the file has.
    """
    decoded = decode_scaled(encoded, smallest_scale(size, resize))
    return resize_decoded(decoded, size, channels, resize)


def resize_decoded(image: Decoded, size: int, channels: int, resize: Resize) -> tf.Tensor:
    """Decoded pixels to the same: float32 [size, size, channels] in [0, 1]."""
    if channels == 1:  # not by the decoder: each format of TensorFlow's has a grey of its own
        image = image._replace(pixels=tf.image.rgb_to_grayscale(image.pixels))
    resized = resize_to_square(image, size, resize)
    return tf.ensure_shape(resized, [size, size, channels]) / 255.0


def image_batches(
    split: Split,
    size: int,
    batch_size: int,
    shuffled_by: tuple[int, int | tf.Tensor] | None = None,
    augmentation: EpochAugmentation | None = None,
    channels: int = 3,
    first: int | tf.Tensor = 0,
    rows: tuple[int, int] | None = None,
    blocks: Blocks | None = None,
    resize: Resize = "squash",
    counts: np.ndarray | tf.Tensor | None = None,
) -> tf.data.Dataset:
    """Batches (images, labels) of a split, each of the full size.

    Images are float32 [batch_size, size, size, channels] in [0, 1], labels int32 [batch_size].
    The last batch is filled up with the first examples of the same order.

    Args:
        split: The examples.
        size: Side of the images in pixels.
        batch_size: Examples a batch.
        shuffled_by: (seed, epoch), on which alone the order depends; stored order without it.
        augmentation: How training images are augmented; each as it is without it.
        channels: 3 for RGB, 1 for grey.
        first: The batch to begin with; those before it are not decoded.
        rows: The first row of each batch that is taken, and the one behind the last; the others are
            not decoded. All when None.
        blocks: Which blocks of the order there are batches of; all without it. The rows that fill
            the last batch up belong to its block.
        resize: How images become squares.
        counts: How often each example comes in a shuffled epoch, int [examples], in all as many as
            there are; once when None. Each time it is augmented in another way.
    """
    numbered = split.references().enumerate(split.first)
    if shuffled_by is not None:
        if counts is not None:
            numbered = _repeated(numbered, split, counts)
        numbered = _shuffle(numbered, split.shuffle_buffer_size, *shuffled_by)
    filled = numbered.repeat().take(num_batches(split.examples, batch_size) * batch_size)
    if blocks is not None:
        filled = _chosen(filled, blocks, split.examples)

    def load(
        position: tf.Tensor, example: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        reference, label = example
        image = decode_and_resize(split.read(reference), size, channels, resize)
        return (image if augmentation is None else augmentation(image, position)), label

    taken, rows_of_each = filled.skip(first * batch_size), batch_size
    if rows is not None:
        taken = _rows_of_each_batch(taken, batch_size, *rows)
        rows_of_each = rows[1] - rows[0]
    images = taken.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return without_autotune(images.batch(rows_of_each, drop_remainder=True).prefetch(PREFETCH))


def without_autotune(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The same without tf.data's autotuner: the end of a pass waits until its thread wakes up."""
    options = tf.data.Options()
    options.autotune.enabled = False  # else seconds are lost where a pass is short
    return batches.with_options(options)


def num_batches(examples: int, batch_size: int) -> int:
    """The number of batches that so many examples make, the filled up last one included."""
    return -(-examples // batch_size)


def _rows_of_each_batch(
    examples: tf.data.Dataset, batch_size: int, first: int, last: int
) -> tf.data.Dataset:
    def is_taken(number: tf.Tensor, *_: Any) -> tf.Tensor:
        row = number % batch_size
        return (row >= first) & (row < last)

    return examples.enumerate().filter(is_taken).map(lambda _, example: example)


def _chosen(rows: tf.data.Dataset, blocks: Blocks, examples: int) -> tf.data.Dataset:
    """The rows of the chosen blocks; `choose` is called once a block."""

    def is_chosen(block: np.ndarray) -> np.ndarray:
        return np.array(blocks.choose(int(block)))

    def choose(before: tf.Tensor, row: tuple[tf.Tensor, Any]) -> tuple[tf.Tensor, Any]:
        index, example = row
        is_first = (index % blocks.rows == 0) & (index < examples)
        chosen = tf.cond(
            is_first,
            lambda: tf.numpy_function(is_chosen, [index // blocks.rows], tf.bool),
            lambda: before,
        )
        chosen = tf.ensure_shape(chosen, [])
        return chosen, (example, chosen)

    marked = rows.enumerate().scan(tf.constant(False), choose)
    return marked.filter(lambda _, chosen: chosen).map(lambda example, _: example)


def _repeated(
    numbered: tf.data.Dataset, split: Split, counts: np.ndarray | tf.Tensor
) -> tf.data.Dataset:
    """Each example as often as its count says, in the stored order; of none more is in memory."""
    counts_of_all = tf.convert_to_tensor(counts)

    def repeat(rows: tuple[tf.Tensor, Any]) -> tuple[tf.Tensor, Any]:
        positions, _ = rows
        here, times = repeated(tf.gather(counts_of_all, positions - split.first))
        positions, examples = tf.nest.map_structure(lambda column: tf.gather(column, here), rows)
        # Augmentation follows from the position: of each repetition from one of its own.
        return positions + tf.cast(times, tf.int64) * REPETITION, examples

    return numbered.batch(_REPEATED_TOGETHER).map(lambda *rows: repeat(rows)).unbatch()


def _shuffle(
    numbered: tf.data.Dataset, together: int, seed: int, epoch: int | tf.Tensor
) -> tf.data.Dataset:
    # Not Dataset.shuffle: its order depends on TensorFlow's global seed too.
    def permuted(block: tf.Tensor, rows: tuple[tf.Tensor, Any]) -> tuple[tf.Tensor, Any]:
        positions, _ = rows
        order = epoch_order(tf.size(positions), seed, epoch, tf.cast(block, tf.int32))
        return tf.nest.map_structure(lambda column: tf.gather(column, order), rows)

    return numbered.batch(together).enumerate().map(permuted).unbatch()
