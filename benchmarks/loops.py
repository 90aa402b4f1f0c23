"""Ours and the training step that everybody writes by hand, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from trainer import Trainer
from trainer.data.pipeline.batches import PREFETCH, without_autotune


class Learner:
    """A model, its loss, Adam, and two metrics."""

    def __init__(
        self,
        model: keras.Model,
        input_shape: Sequence[int],
        loss: keras.losses.Loss,
        accuracy: keras.metrics.Metric,
    ) -> None:
        """Make all variables now: none may come into being inside a graph."""
        self.model, self.loss, self.accuracy = model, loss, accuracy
        self.mean_loss = keras.metrics.Mean()
        self.optimizer = keras.optimizers.Adam(1e-3)
        model(tf.zeros(input_shape))
        self.optimizer.build(model.trainable_variables)

    def step(self, inputs: tf.Tensor, labels: tf.Tensor) -> None:
        """Learn from a batch, and count it."""
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.loss(labels, logits)
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.accuracy.update_state(labels, logits)
        self.mean_loss.update_state(loss)

    def report(self) -> list[float]:
        """The metrics since the last report."""
        metrics = (self.mean_loss, self.accuracy)
        values = [float(metric.result()) for metric in metrics]
        for metric in metrics:
            metric.reset_state()
        return values


def fed(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Batches made while a step runs, without tf.data's tuner, as ours are.

    At times the end of an epoch has to wait until the tuner wakes, 10 (2^n - 1) ms after the
    epoch's start (TensorFlow 2.21): up to twice the time of its steps, which would flatter us.
    """
    return without_autotune(batches.prefetch(PREFETCH))


def first_epoch(trainer: Trainer) -> Callable[[], None]:
    """Our trainer's first epoch, however often it is called; at its end the metrics are read."""

    def epoch() -> None:
        trainer.step = 0
        trainer.fit()
        trainer.train_metrics.result()
        trainer.train_metrics.reset()

    return epoch
