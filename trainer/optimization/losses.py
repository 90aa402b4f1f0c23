"""The task's loss as training sees it: labels smoothed, and rare classes given more weight."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from trainer.config import bounds
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.loop.batches import Batches

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Labels, int32 [batch] or shares [batch, classes], and logits to losses, float32 [batch]."""

SOFT_LABEL_OPTIONS = ("label_smoothing", "mixup", "cutmix")
"""The options under which labels are shares of classes."""


def training_loss(loss: Loss, config: Config, classes: int, train: Batches) -> Loss:
    """A task's loss as the options want it in training.

    Args:
        loss: The task's own.
        config: How labels are smoothed and classes weighed.
        classes: How many there are.
        train: What classes are counted in.
    """
    if config.label_smoothing:
        loss = smoothed(loss, config.label_smoothing, classes)
    if config.class_weights == "balanced":
        loss = weighted(loss, balanced(train.labels, classes))
    return loss


def check_soft_labels(
    task: str, config: Config, loss: Loss, model: keras.Model, train: Batches
) -> None:
    """Try the loss of training on an example, where the options make shares of its label.

    Raises:
        UserError: it takes classes alone; naming the options.
    """
    asked = [bounds.flag(option) for option in SOFT_LABEL_OPTIONS if getattr(config, option)]
    if not asked:
        return
    inputs, labels = (tf.zeros([1, *spec.shape[1:]], spec.dtype) for spec in train.batch_spec)
    try:
        loss(labels, model(inputs))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{' and '.join(asked)}: the loss of {task} takes no shares of classes ({reason});"
            " leave the option away, or let the loss take labels in float32"
        ) from error


def smoothed(loss: Loss, smoothing: float, classes: int) -> Loss:
    """A loss of labels of which a share is spread evenly over all classes (arXiv 1512.00567).

    What tells two classes by one logit is given the probability of the second, float32 [batch].
    """

    def smoothed_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        if labels.shape.rank == 1 and logits.shape[-1] == 1:
            shares = tf.cast(labels, tf.float32)
        else:
            shares = _as_shares(labels, classes)
        return loss((1 - smoothing) * shares + smoothing / classes, logits)

    return smoothed_loss


def weighted(loss: Loss, class_weights: np.ndarray) -> Loss:
    """A loss that counts each example as much as its class weighs."""

    def weighted_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        shares = _as_shares(labels, len(class_weights))
        return loss(labels, logits) * tf.linalg.matvec(shares, class_weights)

    return weighted_loss


def balanced(labels: np.ndarray, classes: int) -> np.ndarray:
    """Weights of classes, float32 [classes]: with them all together count alike.

    examples / (classes · examples of the class), as scikit-learn has it.
    """
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)


def _as_shares(labels: tf.Tensor, classes: int) -> tf.Tensor:
    return labels if labels.shape.rank == 2 else tf.one_hot(labels, classes)
