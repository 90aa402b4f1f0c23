"""Keras' fit under TensorFlow's MultiWorkerMirroredStrategy, as one of the workers of TF_CONFIG."""

import keras
import numpy as np
import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()
random = np.random.default_rng(0)
with strategy.scope():
    model = keras.Sequential([keras.layers.Dense(512, "relu"), keras.layers.Dense(5)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
features, labels = random.random((256, 1280), np.float32), random.integers(0, 5, 256)
model.fit(tf.data.Dataset.from_tensor_slices((features, labels)).batch(32), epochs=1, verbose=0)
