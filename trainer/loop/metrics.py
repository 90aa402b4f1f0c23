"""Streaming metrics of one pass over a split: each example counts exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.text import first_line


class Metrics:
    """A task's metrics, and the means of whatever a step returns.

    ```python
    metrics = Metrics({"accuracy": keras.metrics.SparseCategoricalAccuracy()})
    metrics.update_state(labels, probabilities, sample_weight)  # in a step
    metrics.update_means({"loss": loss}, sample_weight)         # after it
    metrics.result()                                            # {"loss": 0.31, "accuracy": 0.9}
    ```
    """

    def __init__(
        self, metrics: Mapping[str, keras.metrics.Metric], classes: Sequence[str] = ()
    ) -> None:
        """Take the task's metrics, which must be new, and the names of what they may tell apart."""
        self._metrics, self._classes = dict(metrics), list(classes)
        self._means: dict[str, keras.metrics.Mean] = {}
        self.is_updated = not self._metrics
        """Whether a step has updated the task's metrics; true where it has none."""

    def track(self, names: Iterable[str]) -> None:
        """Keep the means of these values of a step too; outside the graph, before the first."""
        for name in names:
            self._means.setdefault(name, keras.metrics.Mean(name=name))

    def update_state(self, labels: Any, predictions: Any, sample_weight: tf.Tensor) -> None:
        """Count a batch in the task's metrics.

        Args:
            labels: What the metrics compare with: classes, int32 [batch], say.
            predictions: What they measure: probabilities [batch, classes], say.
            sample_weight: float32 [batch].

        Raises:
            UserError: a metric does not take them; naming it and their shapes.
        """
        self.is_updated = True
        for name, metric in self._metrics.items():
            try:
                metric.update_state(labels, predictions, sample_weight=sample_weight)
            except (ValueError, TypeError) as error:
                if not type(metric).__module__.startswith("keras."):  # the user's own, and theirs
                    raise
                shapes = [getattr(value, "shape", value) for value in (labels, predictions)]
                raise UserError(
                    f"the metric {name} cannot take labels {shapes[0]} and predictions"
                    f" {shapes[1]} ({first_line(error)}); choose another, or change hard_labels or"
                    " predictions of the task"
                ) from error

    def update_means(self, values: Mapping[str, tf.Tensor], sample_weight: tf.Tensor) -> None:
        """Count a step's values, with the weight that its batch has."""
        weight = tf.reduce_sum(sample_weight)
        for name, mean in self._means.items():
            mean.update_state(values[name], sample_weight=weight)

    def result(self) -> dict[str, float]:
        """Everything counted since the last reset, by name; means of the steps first.

        A metric with a value for each class has a name for each: "recall/rose".
        """
        counted = {**self._means, **self._metrics}
        results = ((name, np.asarray(metric.result())) for name, metric in counted.items())
        return {key: value for name, result in results for key, value in self._named(name, result)}

    def reset_state(self) -> None:
        """Begin again at 0."""
        for metric in (*self._means.values(), *self._metrics.values()):
            metric.reset_state()

    def _named(self, name: str, result: np.ndarray) -> Iterator[tuple[str, float]]:
        if result.ndim == 0:
            yield name, float(result)
            return
        parts = self._classes if len(self._classes) == result.size else map(str, count())
        yield from zip((f"{name}/{part}" for part in parts), result.ravel().tolist(), strict=False)

    @property
    def names(self) -> list[str]:
        """The names of the task's metrics."""
        return list(self._metrics)

    @property
    def step_names(self) -> frozenset[str]:
        """The names of the values that a step returns."""
        return frozenset(self._means)

    @property
    def variables(self) -> list[keras.Variable]:
        """What a checkpoint must hold of an epoch that is not over."""
        metrics = (*self._means.values(), *self._metrics.values())
        return [variable for metric in metrics for variable in metric.variables]
