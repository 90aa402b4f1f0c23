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
from trainer.task import Task, label_kind_text

ExampleLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Labels and logits of a batch to the loss of each example, float32 [batch].

Labels are classes, int32 [batch], or soft, float32 [batch, classes].
"""

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
    loss: ExampleLoss, config: Config, classes: Any, labels: Callable[[], np.ndarray]
) -> ExampleLoss:
    """A task's loss with the label smoothing and the class weights that the options ask for.

    Args:
        loss: The task's own.
        config: The options.
        classes: How many there are.
        labels: Gives the class of every training example, int32 [examples].
    """
    if config.label_smoothing:
        loss = SmoothedLoss(loss, config.label_smoothing, classes)
    if config.class_weights == "balanced":
        of_examples = labels()
        if of_examples.ndim != 1 or not np.issubdtype(of_examples.dtype, np.integer):
            raise UserError("--class-weights is for one class an example, an integer; omit it")
        loss = with_class_weights(loss, balanced_class_weights(of_examples, classes))
    return loss


def check_label_options(task: Task, config: Config) -> None:
    """Refuse options that are for classes alone, where the labels are something else.

    Raises:
        UserError: naming the option.
    """
    options = [option for option in SOFT_LABEL_OPTIONS if getattr(config, option)]
    options += ["class_weights"] if config.class_weights != "none" else []
    if not options:
        return
    if task.label_kind != "class":
        raise UserError(
            f"{flag(options[0])} is for one class an image, and {task.name} learns"
            f" {label_kind_text(task)}; omit it"
        )
    if type(task).targets is not Task.targets:
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
