"""Images that are decoded once, before training, and stay in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.config import Config
from trainer.core.progress import progress_bar
from trainer.data.pipeline.batches import image_batches
from trainer.data.splits import Split
from trainer.loop.array_batches import ArrayBatches

_DECODED_TOGETHER = 64


def gigabytes_decoded(split: Split, size: int, channels: int) -> float:
    """What the images of a split take in memory as float32."""
    pixels = split.examples * size * size * channels
    return pixels * np.dtype(np.float32).itemsize / 1e9


def decoded_batches(split: Split, size: int, channels: int, config: Config) -> ArrayBatches:
    """The batches that `ImageBatches` decodes in every epoch, from images decoded now.

    Args:
        split: The examples.
        size: Side of the images in pixels.
        channels: 3 for RGB, 1 for grey.
        config: How images become squares, and how they are batched.

    Raises:
        tf.errors.OpError: an image cannot be decoded.
    """
    images, labels = _decode(split, size, channels, config)
    batches = ArrayBatches(images, labels, config.batch_size, config.seed, weights=split.weights)
    batches.shuffle_buffer_size = split.shuffle_buffer_size
    return batches


def _decode(split: Split, size: int, channels: int, config: Config) -> tuple[np.ndarray, Any]:
    """All images, float32 [examples, size, size, channels], and their labels."""
    total = split.examples
    images, labels = np.empty([total, size, size, channels], np.float32), []
    batches = image_batches(split, size, _DECODED_TOGETHER, channels=channels, resize=config.resize)
    with progress_bar(f"decoding {split.name}", "images") as report:
        for first, (pixels, of_batch) in zip(
            range(0, total, _DECODED_TOGETHER), batches, strict=True
        ):
            rows = min(_DECODED_TOGETHER, total - first)
            images[first : first + rows] = pixels[:rows]
            labels.append(of_batch)
            report(first + rows, total)
    return images, tf.nest.map_structure(lambda *parts: tf.concat(parts, 0)[:total], *labels)
