"""The classic transfer learning: the frozen module in the model, a Python call a step."""

from __future__ import annotations

import sys

import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

from benchmarks.scripts.photos import CLASSES, photo_batches

module, data_dir, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
train, validation, test = photo_batches(data_dir)
model = tf_keras.Sequential(
    [
        hub.KerasLayer(module, output_shape=[1280], trainable=False),
        tf_keras.layers.Dense(512),
        tf_keras.layers.ReLU(),
        tf_keras.layers.Dense(CLASSES),
    ]
)
loss_function = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf_keras.optimizers.Adam(1e-3)
accuracy, mean_loss = tf_keras.metrics.Accuracy(), tf_keras.metrics.Mean()


@tf.function
def train_step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Learn from one batch; returns its loss."""
    with tf.GradientTape() as tape:
        logits = model(images)
        loss = loss_function(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    accuracy.update_state(labels, tf.argmax(logits, -1))
    return loss


def evaluate(split: tf.data.Dataset) -> float:
    """The accuracy of the model as it is."""
    accuracy.reset_state()
    for images, labels in split:
        accuracy.update_state(labels, tf.argmax(model(images), -1))
    result = float(accuracy.result())
    accuracy.reset_state()
    return result


for epoch in range(epochs):
    for images, labels in train:
        mean_loss.update_state(train_step(images, labels))
    print(f"epoch {epoch + 1}: validation accuracy {evaluate(validation):.4f}", flush=True)
print(f"test accuracy {evaluate(test):.4f}")
