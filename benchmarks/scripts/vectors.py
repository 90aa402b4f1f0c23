"""The features of tf_flowers from the module as loaded: computed once, in arrays."""

from __future__ import annotations

import numpy as np
import tensorflow_hub as hub
import tf_keras

from benchmarks.scripts.photos import photo_batches, photo_labels


def labelled_features(module: str, data_dir: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """(features float32 [photos, width], labels [photos]) of train, validation and test."""
    extractor = tf_keras.Sequential([hub.KerasLayer(module, trainable=False)])
    return [
        (extractor.predict(photos.map(lambda images, _: images), verbose=0), labels)
        for photos, labels in zip(photo_batches(data_dir), photo_labels(data_dir), strict=True)
    ]
