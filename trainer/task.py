"""A task: what is learned. Its dataset, its head, its loss, its metrics and its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainer.config.config import Config

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Task:
    """Image classification on one dataset. Subclass it, name the dataset and give a head.

    ```python
    class Cats(Task):
        dataset = "cats_vs_dogs"
        splits = {"train": "train[:80%]", "validation": "train[80%:90%]", "test": "train[90%:]"}

        def head(self, classes):
            return keras.Sequential([keras.layers.Dense(classes)])
    ```
    """

    dataset: str = ""
    """The dataset's name in TFDS; empty where there is none, and `--data PATH` gives the data."""

    splits: Mapping[str, str] | None = {
        "train": "train",
        "validation": "validation",
        "test": "test",
    }
    """The three splits as TFDS split expressions; None for those that the dataset has, with
    validation and test, where it lacks them, cut from its train."""

    sample: str | None = None
    """The built-in sample that stands in where nothing is downloaded."""

    classes: tuple[str, ...] | None = None
    """Only these classes of the data, labelled in this order; all of them when None."""

    channels: int = 3
    """The channels of the images for a head without an extractor: 3 for RGB, 1 for grey."""

    freeze_on_init: tuple[str, ...] = ()
    """The names of layers that are frozen when `--init-from` gives them their weights."""

    defaults: Config = Config()
    """The options where the command does not give them."""

    @property
    def name(self) -> str:
        """The name of the task's folder of runs."""
        return type(self).__name__.lower()

    def head(self, classes: int) -> keras.Model:
        """The network from features [batch, width], or images, to logits [batch, classes]."""
        raise NotImplementedError(f"{type(self).__name__} needs a head(self, classes)")

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The cross-entropy of each example, float32 [batch]; `Trainer.compute_loss` averages it.

        Labels are classes, int32 [batch], or soft, float32 [batch, classes].
        """
        import keras

        if labels.dtype.is_floating:
            return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """The predictions that the metrics measure: probabilities, float32 [batch, classes]."""
        import keras

        return keras.ops.softmax(logits)

    def hard_labels(self, labels: tf.Tensor) -> tf.Tensor:
        """The labels that the metrics compare with: classes, int32 [batch].

        Of soft labels, float32 [batch, classes], the most probable class.
        """
        import tensorflow as tf

        if labels.dtype.is_floating:
            return tf.argmax(labels, axis=-1, output_type=tf.int32)
        return labels

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """New streaming metrics of classes and probabilities, by the names that reports show.

        The best weights are those with the highest validation accuracy, then lowest loss.
        """
        import keras

        return {"accuracy": keras.metrics.SparseCategoricalAccuracy()}
