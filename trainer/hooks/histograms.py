"""TensorBoard's histograms of weights and gradients."""

from __future__ import annotations

import tensorflow as tf

from trainer.checkpoints.layer_names import variables_by_name
from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Hook, Trainer
from trainer.report.summaries import Summaries


class WriteHistograms(Hook):
    """Writes the trainable weights at the end of every epoch, and their gradients.

    The gradients are those of the training loss on the first batch of the train split in its
    stored order, without dropout: they can be compared from epoch to epoch.
    """

    def __init__(self, summaries: Summaries) -> None:
        """Write them there."""
        self._summaries = summaries

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Write both."""
        names = {id(v.value): name for name, v in variables_by_name(trainer.model).items()}
        variables = trainer.model.trainable_variables
        tags = [names[id(variable.value)] for variable in variables]
        weights = {f"weights/{t}": v.value for t, v in zip(tags, variables, strict=True)}
        pairs = zip(tags, first_gradients(trainer), strict=True)
        gradients = {f"gradients/{tag}": g for tag, g in pairs if g is not None}
        self._summaries.write_histograms("train", record.step, {**weights, **gradients})


def first_gradients(trainer: Trainer) -> list[tf.Tensor | None]:
    """Of the training loss on the first batch of the train split, for each trainable variable."""
    batches = trainer.batches["train"]
    (inputs, labels, weight), _ = batches.get_next(batches.make_iterator(None), tf.constant(0))
    labels = trainer.task.targets(inputs, labels)
    with tf.GradientTape() as tape:
        loss = trainer.compute_loss(labels, trainer.model(inputs, training=False), weight)
    found = tape.gradient(loss, trainer.model.trainable_variables)
    return [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in found]
