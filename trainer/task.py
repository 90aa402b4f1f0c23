"""A task: what is learned. Its dataset, its head, its loss, its metrics and its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from trainer.config.config import Config
from trainer.core.errors import UserError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

LabelKind = Literal["class", "labels", "numbers"]
"""What the label of an image is: its class, any number of labels, or one number or several."""

LabelKinds = LabelKind | Mapping[str, LabelKind]
"""The same for several outputs: of each the kind, by its name."""


def label_kind_text(task: Task) -> str:
    """What a task learns, for messages: "numbers", or the names of its outputs."""
    return task.label_kind if isinstance(task.label_kind, str) else ", ".join(task.label_kind)


class Task:
    """What every task has. Subclass it, or one of the tasks below, which know their labels.

    `ImageClassification`, `MultiLabelClassification` and `Regression` have a loss, predictions and
    metrics; a task of your own kind gives those, on labels and outputs of any structure.
    """

    label_kind: LabelKinds = "class"
    """What the data must have for each image; for several outputs a dict, as `{"kind": "class",
    "size": "numbers"}`, whose names are columns of a table or features of a TFDS dataset. Labels
    are then a dict too."""

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

    best: str | None = None
    """What the best weights have on validation: "max f1", say, or "min loss"; of equals the lowest
    loss. When None it is "max accuracy", or "min loss" where no metric is called accuracy."""

    defaults: Config = Config()
    """The options where the command does not give them."""

    @property
    def name(self) -> str:
        """The name of the task's folder of runs."""
        return type(self).__name__.lower()

    def data(self) -> Mapping[str, Any] | None:
        """Data of your own in place of images: (inputs, labels) of train, validation and test.

        Both are NumPy arrays [examples, …], or any structure of such arrays; labels that are
        classes are integers [examples], and () where there are none. A sample_weight [examples] may
        stand behind them. They stay in memory, and are shuffled, compiled and resumed as features
        are. Or each split is a `trainer.DataPipeline`. None where the data are images.
        """
        return None

    def head(self, outputs: Any) -> keras.Model:  # noqa: ARG002 (what subclasses are given)
        """The network from features [batch, width], or images, to its outputs.

        Args:
            outputs: How many classes, labels or numbers the data have, an int; where label_kind
                is a dict, the number of each by its name.
        """
        raise UserError(
            f"{type(self).__name__} has no head; write head(self, outputs), which returns a model"
        )

    def targets(self, inputs: Any, labels: Any) -> Any:  # noqa: ARG002 (what subclasses are given)
        """What takes the place of the labels in a batch: the labels, as they are.

        An autoencoder returns its inputs, say, and a task with two outputs a dict.
        """
        return labels

    def loss(self, labels: Any, outputs: Any) -> tf.Tensor:  # noqa: ARG002 (as head)
        """The loss of each example, float32 [batch]; `Trainer.compute_loss` averages it.

        It may be a Loss of Keras too, `loss = keras.losses.Huber()`.
        """
        raise UserError(
            f"{type(self).__name__} has no loss; write loss(self, labels, outputs), or subclass"
            " ImageClassification, MultiLabelClassification or Regression"
        )

    def predictions(self, outputs: Any) -> Any:
        """What the metrics measure: the outputs, as they are."""
        return outputs

    def hard_labels(self, labels: Any) -> Any:
        """What the metrics compare with: the labels, as they are."""
        return labels

    def metrics(self) -> Mapping[str, Any]:
        """New streaming metrics of labels and predictions, by the names that reports show.

        One that gives a value for each class is reported as "recall/rose" and so on. Of several
        outputs each has metrics of its own, `{"kind": {"accuracy": …}}`, reported as
        "kind_accuracy".
        """
        return {}


class ImageClassification(Task):
    """One class an image.

    ```python
    class Cats(ImageClassification):
        dataset = "cats_vs_dogs"
        splits = {"train": "train[:80%]", "validation": "train[80%:90%]", "test": "train[90%:]"}

        def head(self, classes):
            return keras.Sequential([keras.layers.Dense(classes)])
    ```
    """

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The cross-entropy of each example, float32 [batch].

        Labels are classes, int32 [batch], or soft, float32 [batch, classes].
        """
        import keras

        if labels.dtype.is_floating:
            return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)

    def predictions(self, logits: tf.Tensor) -> tf.Tensor:
        """The probabilities of the classes, float32 [batch, classes]."""
        import keras

        return keras.ops.softmax(logits)

    def hard_labels(self, labels: tf.Tensor) -> tf.Tensor:
        """The classes, int32 [batch]; of soft labels the most probable one."""
        import tensorflow as tf

        if labels.dtype.is_floating:
            return tf.argmax(labels, axis=-1, output_type=tf.int32)
        return labels

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """The accuracy."""
        import keras

        return {"accuracy": keras.metrics.SparseCategoricalAccuracy()}


class MultiLabelClassification(Task):
    """Any number of labels an image, each of which it has or has not.

    Labels are float32 [batch, labels], 1 where an image has the label and 0 elsewhere; the head
    gives a logit for each.
    """

    label_kind = "labels"
    best = "max mean_average_precision"

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The mean of the binary cross-entropies of an example's labels, float32 [batch]."""
        import keras

        return keras.losses.binary_crossentropy(labels, logits, from_logits=True)

    def predictions(self, logits: tf.Tensor) -> tf.Tensor:
        """The probability of every label, float32 [batch, labels]."""
        import keras

        return keras.ops.sigmoid(logits)

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """Mean average precision; F1 at 0.5, the mean of all labels and that of each."""
        from keras import metrics

        return {
            "mean_average_precision": metrics.AUC(curve="PR", multi_label=True),
            "mean_f1": metrics.F1Score(average="macro", threshold=0.5),
            "f1": metrics.F1Score(threshold=0.5),
        }


class Regression(Task):
    """One number an image, or several.

    Labels and the head's outputs are float32 [batch, numbers].
    """

    label_kind = "numbers"
    best = "min loss"

    def loss(self, labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """The squared error of each example, float32 [batch]; the mean of its numbers."""
        import keras

        return keras.losses.mean_squared_error(labels, outputs)

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """The mean absolute error, and the coefficient of determination R²."""
        from keras import metrics

        return {"mean_absolute_error": metrics.MeanAbsoluteError(), "r2": metrics.R2Score()}
