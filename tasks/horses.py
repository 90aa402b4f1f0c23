"""Horses or humans: one logit, the binary question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, ImageClassification, UserError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Horses(ImageClassification):
    """Horses and humans, 1,283 rendered pictures (TFDS horses_or_humans).

    `python -m trainer.run --task horses --data tfds` reaches 0.99 or more on the test split.
    """

    dataset = "horses_or_humans"
    splits = {"train": "train[:80%]", "validation": "train[80%:]", "test": "test"}
    sample = "horses"
    defaults = Config(epochs=10, batch_size=32, learning_rate=1e-3)

    def head(self, classes: int) -> keras.Model:
        """Features to the logit of the second class."""
        from keras import Sequential, layers

        if classes != 2:
            raise UserError(f"horses has two classes; the data have {classes}")
        return Sequential([layers.Dense(512), layers.ReLU(), layers.Dense(1)])

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The binary cross-entropy of each example, [batch], to the second class.

        Labels are classes, int32 [batch], or soft, float32 [batch, 2].
        """
        from keras import losses

        second = labels[:, 1:] if labels.dtype.is_floating else labels[:, None]
        return losses.binary_crossentropy(second, logits, from_logits=True)

    def predictions(self, logits: tf.Tensor) -> tf.Tensor:
        """The probability of the second class, [batch]."""
        from keras import ops

        return ops.sigmoid(logits)[:, 0]

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """Accuracy, area under the ROC curve, precision and recall of the second class."""
        from keras import metrics

        return {
            "accuracy": metrics.BinaryAccuracy(),
            "auc": metrics.AUC(),
            "precision": metrics.Precision(),
            "recall": metrics.Recall(),
        }
