"""Our loop, and the training step that everybody writes by hand, to be timed."""

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
        """Create all variables now: a graph may create none."""
        self.model, self.loss, self.accuracy = model, loss, accuracy
        self.mean_loss = keras.metrics.Mean()
        self.optimizer = keras.optimizers.Adam(1e-3)
        model(tf.zeros(input_shape))
        self.optimizer.build(model.trainable_variables)

    def step(self, inputs: tf.Tensor, labels: tf.Tensor) -> None:
        """Learn from a batch, and update the metrics."""
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


def prefetched(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Batches made while a step runs, without tf.data's autotuning, as ours are.

    At times the end of an epoch has to wait for the tuner's thread, which wakes 10 (2^n - 1) ms
    after the epoch's start (TensorFlow 2.21): up to twice the time of the epoch's steps.
    """
    return without_autotune(batches.prefetch(PREFETCH))


class TrainOnly(Trainer):
    """Trains without validation, as the loops beside it do."""

    def evaluate(self, split: str, use_ema: bool = True) -> dict[str, float]:
        """Nothing."""
        return {}


def times(count: int, epoch: Callable[[], object]) -> Callable[[], None]:
    """So many epochs, one after another."""

    def epochs() -> None:
        for _ in range(count):
            epoch()

    return epochs


def repeated_fit(trainer: Trainer) -> Callable[[], None]:
    """Our trainer's epochs from the first on, however often it is called."""

    def fit() -> None:
        trainer.step, trainer.history = 0, []
        trainer.fit()

    return fit
