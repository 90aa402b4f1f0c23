"""The task's loss of each example; in training with smoothed labels and weights of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.config.bounds import flag
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.data.labels import check_class_labels
from trainer.task import ImageClassification, MultiLabelClassification, Task, label_kind_text

ExampleLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Labels and logits of a batch to the loss of each example, float32 [batch].

Labels are classes, int32 [batch], or soft, float32 [batch, classes].
"""

FOCAL_GAMMA = 2.0
"""That of the paper (arXiv 1708.02002)."""

SOFT_LABEL_OPTIONS = ("label_smoothing", "mixup", "cutmix")
"""The options under which labels are soft."""


def task_example_loss(task: Task) -> ExampleLoss:
    """The task's loss; where it is a Loss of Keras, of each example and not their mean.

    It raises a UserError where it is called, if it gives anything but one value an example.
    """
    loss = task.loss.call if isinstance(task.loss, keras.losses.Loss) else task.loss

    def example_loss(labels: Any, logits: Any) -> tf.Tensor:
        losses = loss(labels, logits)
        batch = tf.nest.flatten(logits)[0].shape[:1]
        if losses.shape != batch:
            raise UserError(
                f"the loss of {task.name} must be one value an example, {batch}, and is"
                f" {losses.shape}; take no mean over the batch, and give a loss of Keras"
                " reduction=None"
            )
        return losses

    return example_loss


def training_example_loss(
    task: Task, config: Config, classes: Any, labels: Callable[[], np.ndarray]
) -> ExampleLoss:
    """The loss of `--loss` with the label smoothing and the class weights of the options.

    Args:
        task: What is learned.
        config: The options.
        classes: How many there are.
        labels: Gives the class of every training example, int32 [examples].
    """
    loss = _focal_loss(task) if config.loss == "focal" else task_example_loss(task)
    if config.label_smoothing:
        loss = SmoothedLoss(loss, config.label_smoothing, classes)
    if config.class_weights == "balanced":
        of_examples = labels()
        check_class_labels("--class-weights", of_examples)
        loss = with_class_weights(loss, balanced_class_weights(of_examples, classes))
    return loss


def focal_crossentropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The focal loss of each example's class, float32 [batch], with a gamma of 2.

    Without the paper's alpha, which weights classes: `--class-weights` does.

    Args:
        labels: Classes, int32 [batch], or soft, float32 [batch, classes].
        logits: float32 [batch, classes].
    """
    soft = soft_labels(labels, logits.shape[-1])
    return keras.losses.categorical_focal_crossentropy(
        soft, logits, alpha=1.0, gamma=FOCAL_GAMMA, from_logits=True
    )


def binary_focal_crossentropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The mean of the focal losses of an example's labels, float32 [batch], with a gamma of 2.

    Args:
        labels: float32 [batch, labels], 1 where an example has the label.
        logits: float32 [batch, labels].
    """
    return keras.losses.binary_focal_crossentropy(
        labels, logits, gamma=FOCAL_GAMMA, from_logits=True
    )


FOCAL_LOSSES: dict[Any, ExampleLoss] = {
    ImageClassification.loss: focal_crossentropy,
    MultiLabelClassification.loss: binary_focal_crossentropy,
}
"""By the loss that they take the place of."""


def _focal_loss(task: Task) -> ExampleLoss:
    loss = FOCAL_LOSSES.get(getattr(task.loss, "__func__", None))
    if loss is None:
        raise UserError(
            "--loss focal takes the place of the loss of ImageClassification and"
            f" MultiLabelClassification, and {task.name} has another; omit it"
        )
    return loss


def check_label_options(task: Task, config: Config) -> None:
    """Refuse options that are for classes alone, where the labels are something else.

    Raises:
        UserError: naming the option.
    """
    if config.loss == "focal":
        _focal_loss(task)
    options = [option for option in SOFT_LABEL_OPTIONS if getattr(config, option)]
    options += ["class_weights"] if config.class_weights != "none" else []
    by_class = [*options, *(["sampling"] if config.sampling != "none" else [])]
    if by_class and task.label_kind != "class":
        raise UserError(
            f"{flag(by_class[0])} is for one class an image, and {task.name} learns"
            f" {label_kind_text(task)}; omit it"
        )
    if options and type(task).targets is not Task.targets:
        raise UserError(
            f"{flag(options[0])} is for classes as the data have them, and {task.name} has targets"
            " of its own; omit it"
        )


class SmoothedLoss:
    """A loss of labels of which a share is spread evenly over all classes (arXiv 1512.00567)."""

    def __init__(self, loss: ExampleLoss, smoothing: float, classes: int) -> None:
        """Spread this share of each label."""
        self._loss, self._classes = loss, classes
        self.kept, self.spread = 1 - smoothing, smoothing / classes

    def __call__(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The loss of each example, float32 [batch]."""
        return self._loss(self.kept * soft_labels(labels, self._classes) + self.spread, logits)


def with_class_weights(loss: ExampleLoss, class_weights: np.ndarray) -> ExampleLoss:
    """A loss multiplied by the weight of each example's class; of soft labels, by their share."""

    def weighted_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        soft = soft_labels(labels, len(class_weights))
        return loss(labels, logits) * tf.linalg.matvec(soft, class_weights)

    return weighted_loss


def balanced_class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Weights with which all classes have the same sum, float32 [classes].

    examples / (classes · examples of the class), as scikit-learn's "balanced".
    """
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)


def soft_labels(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Labels as probabilities of the classes, float32 [batch, classes]; soft ones as they are."""
    return labels if labels.dtype.is_floating else tf.one_hot(labels, classes)
