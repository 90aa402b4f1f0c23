"""Digits 0 and 1: transfer from the network of all ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config

from .digits import Digits

if TYPE_CHECKING:
    import tensorflow as tf


class Digits01(Digits):
    """Zero or one: the network of digits below a head of two, 14,780 pictures (TFDS mnist).

    `python -m trainer.run --task digits01 --init-from logs/digits/RUN` freezes the hidden layers of
    that run, trains the head alone, and reaches 1.00 on the test split of the sample.
    """

    classes = ("0", "1")
    freeze_on_init = ("hidden_1", "hidden_2")
    defaults = Config(
        extractor="none",
        image_size=28,
        epochs=5,
        batch_size=32,
        optimizer="sgd",
        learning_rate=0.1,
    )

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The mean squared error of the probabilities, [batch].

        Labels are classes, int32 [batch], or soft, float32 [batch, classes].
        """
        from keras import losses, ops

        soft = labels if labels.dtype.is_floating else ops.one_hot(labels, logits.shape[-1])
        return losses.mean_squared_error(soft, self.predictions(logits))
