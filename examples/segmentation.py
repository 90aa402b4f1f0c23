"""Segment horses and people from their ground: an output for each pixel.

    python examples/segmentation.py

Under a minute on two cores. On the built-in sample, whose grounds are plain, you should see a test
IoU near 0.65: the intersection of the predicted pixels and the right ones by their union.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new
from tasks.horses_cnn import HorsesCnn  # new


# new:
class Segmentation(trainer.Task):
    """The mask is what differs from the colours at both edges of its row of pixels."""

    dataset, splits, sample = HorsesCnn.dataset, HorsesCnn.splits, HorsesCnn.sample
    best = "max iou"

    def head(self, classes: int) -> keras.Model:
        """Images to a logit for each pixel, by convolutions that see further and further."""
        layers = keras.layers
        seen = [
            layers.Conv2D(16, 3, padding="same", activation="relu", dilation_rate=2**n)
            for n in range(5)
        ]
        return keras.Sequential([*seen, layers.Conv2D(1, 1)])

    def targets(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """The masks, float32 [batch, height, width, 1]: 1 for the animal or the person."""
        ground = (images[:, :, :1] + images[:, :, -1:]) / 2
        difference = tf.reduce_max(tf.abs(images - ground), axis=3, keepdims=True)
        return tf.cast(difference > 0.2, tf.float32)

    def loss(self, masks: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The mean cross-entropy of each example's pixels, float32 [batch]."""
        pixels = keras.losses.binary_crossentropy(masks, logits, from_logits=True)
        return tf.reduce_mean(pixels, axis=[1, 2])

    def predictions(self, logits: tf.Tensor) -> tf.Tensor:
        """The probability of each pixel."""
        return tf.sigmoid(logits)

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """The intersection over union."""
        return {"iou": keras.metrics.BinaryIoU([1], dtype="float32")}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", image_size=48)  # new
    config = dataclasses.replace(config, learning_rate=0.005)  # new
    run = trainer.train(Segmentation(), config)  # new
    print(f"test IoU {run.metrics['test']['iou']:.3f}; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
