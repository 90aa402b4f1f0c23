"""Keras' fit with the frozen module in the model: tf_keras, for Keras 3 takes no hub.KerasLayer."""

from __future__ import annotations

import sys

import tensorflow_hub as hub
import tf_keras

from benchmarks.scripts.photos import CLASSES, photo_batches

module, data_dir, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
train, validation, test = photo_batches(data_dir)
model = tf_keras.Sequential(
    [
        hub.KerasLayer(module, trainable=False),
        tf_keras.layers.Dense(512, "relu"),
        tf_keras.layers.Dense(CLASSES),
    ]
)
model.compile(
    tf_keras.optimizers.Adam(1e-3),
    tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train, validation_data=validation, epochs=epochs, verbose=2)
_, accuracy = model.evaluate(test, verbose=0)
print(f"test accuracy {accuracy:.4f}")
