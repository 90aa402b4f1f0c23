"""tf_flowers as all the scripts read it, so that they train and test on the same photos."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from tasks.flowers import Flowers

SPLITS = list(Flowers.splits.values())
CLASSES = 5


def photo_batches(data_dir: str) -> list[tf.data.Dataset]:
    """Train, validation and test: images float32 [batch, 224, 224, 3] in [0, 1], int64 labels."""
    splits = tfds.load("tf_flowers", split=SPLITS, data_dir=data_dir, as_supervised=True)
    return [split.map(_prepare).batch(32).prefetch(1) for split in splits]


def photo_labels(data_dir: str) -> list[np.ndarray]:
    """The labels of train, validation and test alone, which need no image decoded."""
    undecoded = {"image": tfds.decode.SkipDecoding()}
    splits = tfds.load("tf_flowers", split=SPLITS, data_dir=data_dir, decoders=undecoded)
    return [np.array([int(example["label"]) for example in split]) for split in splits]


def _prepare(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    image = tf.image.convert_image_dtype(image, tf.float32)
    return tf.image.resize(image, (224, 224)), label
