"""Streaming metrics of one pass over a split: each example counts exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf


class Metrics:
    """The task's metrics, and the means of whatever a step returns.

    ```python
    metrics = Metrics({"accuracy": keras.metrics.SparseCategoricalAccuracy()})
    metrics.update(labels, probabilities)   # in a step
    metrics.average({"loss": loss}, labels)  # after it
    metrics.result()                         # {"loss": 0.31, "accuracy": 0.9}
    ```
    """

    def __init__(self, metrics: Mapping[str, keras.metrics.Metric]) -> None:
        """Take over the task's metrics, which must be new."""
        self._metrics = dict(metrics)
        self._means: dict[str, keras.metrics.Mean] = {}
        self._updated = False

    def track(self, names: Iterable[str]) -> None:
        """Keep the mean of these values of a step too; outside the graph, before the first."""
        for name in names:
            self._means.setdefault(name, keras.metrics.Mean(name=name))

    def update(self, labels: tf.Tensor, probabilities: tf.Tensor) -> None:
        """Count a batch: int32 labels [batch], rows of label -1 left out.

        Of shares of classes, float32 [batch, classes], the greatest is the label.
        """
        self._updated = True
        weights = example_weights(labels)
        classes = _classes(labels)
        for metric in self._metrics.values():
            metric.update_state(classes, probabilities, sample_weight=weights)

    def average(self, values: Mapping[str, tf.Tensor], labels: tf.Tensor) -> None:
        """Count a step's values, as heavily as its batch has examples."""
        examples = tf.reduce_sum(example_weights(labels))
        for name, mean in self._means.items():
            mean.update_state(values[name], sample_weight=examples)

    def result(self) -> dict[str, float]:
        """Everything counted since the last reset, by name; means of the steps first.

        The task's metrics are left out where no step ever updates them.
        """
        counted = {**self._means, **(self._metrics if self._updated else {})}
        return {name: float(metric.result()) for name, metric in counted.items()}

    def reset(self) -> None:
        """Begin a new pass."""
        for metric in (*self._means.values(), *self._metrics.values()):
            metric.reset_state()

    @property
    def of_steps(self) -> frozenset[str]:
        """The names of the values that a step returns."""
        return frozenset(self._means)

    @property
    def variables(self) -> list[keras.Variable]:
        """All that a checkpoint must keep of a pass under way."""
        metrics = (*self._means.values(), *self._metrics.values())
        return [variable for metric in metrics for variable in metric.variables]


def example_weights(labels: tf.Tensor) -> tf.Tensor:
    """1 for an example and 0 for a padding row, float32 [batch].

    Labels are classes, int [batch], or shares of classes, float [batch, classes]: padding rows
    are -1 in the first and all zeros in the second.
    """
    if labels.shape.rank == 2:
        return tf.cast(tf.reduce_any(labels > 0, axis=-1), tf.float32)
    return tf.cast(labels >= 0, tf.float32)


def _classes(labels: tf.Tensor) -> tf.Tensor:
    if labels.shape.rank == 2:
        return tf.argmax(labels, axis=-1, output_type=tf.int32)
    return tf.maximum(labels, 0)  # a padding row weighs nothing, but must be some class
