"""Keras 3's fit of the upper part of a network, which is in the model as a whole.

Takes MODULE TFDS_DIR EPOCHS ENDPOINT LEARNING_RATE; Keras itself has no layer for a module of which
a part is trained, so it is ours.
"""

from __future__ import annotations

import sys

import keras

from benchmarks.scripts.photos import CLASSES, photo_batches
from trainer.config.transfer import TransferOptions
from trainer.extractors.loading import load_network

module, data_dir, epochs, endpoint, rate = sys.argv[1:]
train, validation, test = photo_batches(data_dir)
options = TransferOptions(extractor=module, transfer="finetune", unfreeze_from=endpoint)
model = keras.Sequential(
    [
        load_network(options, trainable=True).layer,
        keras.layers.Dense(512),
        keras.layers.ReLU(),
        keras.layers.Dense(CLASSES),
    ]
)
model.compile(
    keras.optimizers.Adam(float(rate)),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train, validation_data=validation, epochs=int(epochs), verbose=2)
print(f"test accuracy {model.evaluate(test, verbose=0)[1]:.4f}")
