"""Learn a distribution of digits: a variational autoencoder (arXiv 1312.6114).

    python examples/variational_autoencoder.py

Under a minute on two cores. On the built-in sample you should see a test loss near 169 nats.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
class Sample(keras.layers.Layer):
    """Draws a code from the means and the logarithms of variances that it gets."""

    def __init__(self) -> None:
        """Its seed is a variable, and so in every checkpoint."""
        super().__init__()
        self.seed = keras.random.SeedGenerator(0)

    def call(self, code: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The code in training, its mean otherwise."""
        mean, log_variance = tf.split(code, 2, axis=1)
        noise = keras.random.normal(tf.shape(mean), seed=self.seed) if training else 0.0
        return mean + tf.exp(log_variance / 2) * noise


class VariationalAutoencoder(trainer.Task):
    """Digits to a distribution of codes, and a code back to a digit."""

    dataset, sample, channels = "mnist", "digits", 1
    splits = {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}

    def head(self, classes: int) -> keras.Model:
        """Pictures to the parameters of their codes, and to the logits of pixels."""
        layers, inputs = keras.layers, keras.Input([28, 28, 1])
        code = layers.Dense(32)(layers.Dense(256, "relu")(layers.Flatten()(inputs)))
        pixels = layers.Dense(784)(layers.Dense(256, "relu")(Sample()(code)))
        return keras.Model(inputs, {"code": code, "pixels": pixels})

    def targets(self, inputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """The pixels of the inputs, float32 [batch, 784]."""
        return tf.reshape(inputs, [-1, 784])

    def loss(self, targets: tf.Tensor, outputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Of each example the cross-entropy of its pixels and the divergence of its code."""
        mean, log_variance = tf.split(outputs["code"], 2, axis=1)
        divergence = tf.reduce_sum(tf.exp(log_variance) + mean**2 - 1 - log_variance, axis=1) / 2
        pixels = keras.losses.binary_crossentropy(targets, outputs["pixels"], from_logits=True)
        return 784 * pixels + divergence


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", image_size=28)  # new
    run = trainer.train(VariationalAutoencoder(), config)  # new
    print(f"test loss {run.metrics['test']['loss']:.1f} nats; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
