"""Variables that have one value on every replica, whatever a step does with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf


@contextlib.contextmanager
def variables_of(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Inside, new variables have a copy on every replica of a strategy.

    Each replica changes its own copy. Keras wants the value of the first replica sent to the others
    for counts of steps, which every replica counts itself; in a branch of a step that could not be.
    """
    with strategy.scope(), tf.variable_creator_scope(_counted_everywhere):
        yield


def keep_equal(strategy: tf.distribute.Strategy, attributes: Mapping[str, Any]) -> None:
    """Let what a step assigns be equal on all replicas; before the step is traced.

    A variable gets the mean of what the replicas assign to it; of integers each replica assigns its
    own, for what is counted is equal on all. Batch norm takes mean and variance of the whole batch.

    Args:
        strategy: The replicas.
        attributes: Those of the trainer: its model, and what a subclass has beside it.
    """
    if strategy.num_replicas_in_sync == 1:
        return
    for part in _parts(attributes):
        if isinstance(part, keras.Layer):
            for layer in part._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.synchronized = True
            _average_assigned_values(part.variables)
        else:
            _average_assigned_values([part])


def _parts(values: Any) -> Iterator[Any]:
    """The layers and variables among values; not those of optimizers, which update every copy."""
    if isinstance(values, keras.Layer | keras.Variable | tf.Variable):
        yield values
    elif isinstance(values, Mapping):
        yield from _parts(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _parts(value)


def _average_assigned_values(variables: Iterable[Any]) -> None:
    for variable in variables:
        value = variable.value if isinstance(variable, keras.Variable) else variable
        if value.dtype.is_floating and value.aggregation == tf.VariableAggregation.NONE:
            value._aggregation = tf.VariableAggregation.MEAN  # before the first assignment


def _counted_everywhere(create: Any, **options: Any) -> Any:
    if options.get("aggregation") == tf.VariableAggregation.ONLY_FIRST_REPLICA:
        options["aggregation"] = tf.VariableAggregation.NONE
    return create(**options)
