"""Keras 3's fit on features that the module has computed once."""

from __future__ import annotations

import sys

import keras

from benchmarks.scripts.photos import CLASSES
from benchmarks.scripts.vectors import labelled_features

module, data_dir, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
train, validation, test = labelled_features(module, data_dir)
model = keras.Sequential([keras.layers.Dense(512, "relu"), keras.layers.Dense(CLASSES)])
model.compile(
    keras.optimizers.Adam(1e-3),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(*train, validation_data=validation, batch_size=32, epochs=epochs, verbose=2)
_, accuracy = model.evaluate(*test, verbose=0)
print(f"test accuracy {accuracy:.4f}")
