"""The training step that everybody writes by hand."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf


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
