"""Learn without labels: an autoencoder of digits, whose targets are its inputs.

    python examples/autoencoder.py

Under a minute on two cores. On the built-in sample you should see a test R² near 0.78: the share of
the variance that 32 numbers keep of 784 pixels.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
class Autoencoder(trainer.Task):
    """Digits to 32 numbers and back."""

    dataset, sample, channels = "mnist", "digits", 1
    splits = {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}
    loss = keras.losses.MeanSquaredError()

    def head(self, classes: int) -> keras.Model:
        """Pictures to 32 numbers to pixels."""
        layers = keras.layers
        encoder = [layers.Flatten(), layers.Dense(256, "relu"), layers.Dense(32)]
        decoder = [layers.Dense(256, "relu"), layers.Dense(784)]
        return keras.Sequential([*encoder, *decoder])

    def targets(self, inputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """The pixels of the inputs, float32 [batch, 784]."""
        return tf.reshape(inputs, [-1, 784])

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """The share of the variance that is kept."""
        return {"r2": keras.metrics.R2Score(class_aggregation="variance_weighted_average")}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", image_size=28)  # new
    run = trainer.train(Autoencoder(), config)  # new
    print(f"test R² {run.metrics['test']['r2']:.3f}; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
