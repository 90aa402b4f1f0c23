"""Streaming metrics of one pass over a split: each example counts exactly once."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.text import first_line

NOT_LOGGED = math.nan
"""What a step returns in place of a value that is computed at logged steps alone."""


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
        self,
        metrics: Mapping[str, Any],
        classes: Sequence[str] | Mapping[str, Sequence[str]] = (),
        logged_names: Collection[str] = (),
    ) -> None:
        """Of a task.

        Args:
            metrics: New metrics of Keras by name; those of an output in a mapping by its name.
            classes: The names of what they may tell apart; likewise.
            logged_names: The values of a step that are `NOT_LOGGED` at some steps, which are in no
                mean; known once the step is traced.

        Raises:
            UserError: two have one name, or one would cut the weights of examples.
        """
        self._metrics, self._output_of = dict[str, keras.metrics.Metric](), dict[str, str]()
        for name, metric in metrics.items():
            if isinstance(metric, Mapping):
                for of_output, one in metric.items():
                    self._add(f"{name}_{of_output}", one)
                    self._output_of[f"{name}_{of_output}"] = name
            else:
                self._add(name, metric)
        self._classes = classes
        self._means: dict[str, keras.metrics.Mean] = {}
        self._logged_names = logged_names
        self.is_updated = not self._metrics
        """Whether a step has updated the task's metrics; true where it has none."""

    def track(self, names: Iterable[str]) -> None:
        """Keep the means of these values of a step too; outside the graph, before the first."""
        for name in names:
            mean = MeanOfLogged if name in self._logged_names else keras.metrics.Mean
            self._means.setdefault(name, mean(name=name))

    def make_variables(self, labels: Any, predictions: Any) -> None:
        """Make those of metrics that wait for their first batch, by one that counts nothing.

        Args:
            labels: Of a batch, of zeros.
            predictions: Likewise.
        """
        strategy = tf.distribute.get_strategy()
        for name, metric in self._metrics.items():
            if getattr(metric, "_built", True):
                continue
            values = [self._of_output(name, structure) for structure in (labels, predictions)]
            strategy.run(metric.update_state, tuple(values))
            metric.reset_state()

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
            of_output = [self._of_output(name, values) for values in (labels, predictions)]
            weight = _weight_of_values(sample_weight, of_output[0])
            try:
                metric.update_state(*of_output, sample_weight=weight)
            except (ValueError, TypeError) as error:
                if not type(metric).__module__.startswith("keras."):  # the user's own, and theirs
                    raise
                shapes = [getattr(value, "shape", value) for value in of_output]
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
        return self.named(self.results())

    def results(self) -> dict[str, Any]:
        """The same as tensors, in a graph too; of values for each class one tensor."""
        return {name: metric.result() for name, metric in (self._means | self._metrics).items()}

    def named(self, results: Mapping[str, Any]) -> dict[str, float]:
        """What `results` gives as numbers, each by its own name."""
        arrays = ((name, np.asarray(result)) for name, result in results.items())
        return {key: value for name, array in arrays for key, value in self._named(name, array)}

    def reset_state(self) -> None:
        """Begin again at 0."""
        for metric in (*self._means.values(), *self._metrics.values()):
            metric.reset_state()

    def _add(self, name: str, metric: keras.metrics.Metric) -> None:
        if name in self._metrics:
            raise UserError(f"there are two metrics {name}; give one another name in metrics()")
        if isinstance(metric, keras.metrics.IoU) and "int" in str(metric.dtype):
            raise UserError(
                f"the metric {name} counts in integers, in which a weight of 0.5 is 0; give it"
                ' dtype="float32"'
            )
        self._metrics[name] = metric

    def _of_output(self, name: str, values: Any) -> Any:
        """What a metric takes of labels or predictions: those of its output, where it has one."""
        output = self._output_of.get(name)
        if output is None:
            return values
        if not (isinstance(values, Mapping) and output in values):
            names = ", ".join(values) if isinstance(values, Mapping) else "no names"
            raise UserError(
                f"the metric {name} is of the output {output!r}, which the labels or the"
                f" predictions lack: they have {names}; fix the names in metrics()"
            )
        return values[output]

    def _named(self, name: str, result: np.ndarray) -> Iterator[tuple[str, float]]:
        if result.ndim == 0:
            yield name, float(result)
            return
        classes = self._classes
        if isinstance(classes, Mapping):
            classes = classes.get(self._output_of.get(name, ""), ())
        parts = classes if len(classes) == result.size else map(str, count())
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


class MeanOfLogged(keras.metrics.Mean):
    """The mean of the values that are not `NOT_LOGGED`; where all are, that is the mean too."""

    def update_state(self, values: tf.Tensor, sample_weight: tf.Tensor) -> None:
        """Count a value, scalar, with its weight."""
        values = tf.cast(values, tf.float32)
        logged = ~tf.math.is_nan(values)
        weight = tf.where(logged, sample_weight, tf.zeros_like(sample_weight))
        super().update_state(tf.where(logged, values, tf.zeros_like(values)), weight)

    def result(self) -> tf.Tensor:
        """The mean so far: of none 0 / 0, which is `NOT_LOGGED`."""
        return tf.convert_to_tensor(self.total) / tf.convert_to_tensor(self.count)


def _weight_of_values(sample_weight: tf.Tensor, labels: Any) -> tf.Tensor:
    """The weight of each example; where labels are masks, that of each of its pixels.

    Most metrics of Keras take the first for both, but not those of confusion, as BinaryIoU.
    """
    shape = getattr(labels, "shape", ())
    if len(shape) < 3:
        return sample_weight
    return tf.broadcast_to(tf.reshape(sample_weight, [-1] + [1] * (len(shape) - 1)), shape)
