"""A step on several replicas at once, which gives what it gives on one device.

Each replica takes its rows of the batch. What a step returns, and the gradients that optimizers
get, are averaged over the replicas. So a step divides by the weight of the whole batch, times the
number of replicas: `batch_mean` does. All else in a step is as on one device.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from trainer.distribution.draws import draws_of_whole_batch
from trainer.distribution.optimizers import averaged_gradients
from trainer.distribution.rows import Rows, rows_of_replica

Step = Callable[[Any, tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]]
"""Of a batch, the number of the step and the indices of the batch's examples."""

_averaged: contextvars.ContextVar[list[tf.Tensor] | None] = contextvars.ContextVar(
    "averaged", default=None
)
"""In the graph of a replica, the tensors that are averaged over all of them; else None."""


def replicated(
    step: Step, strategy: tf.distribute.Strategy, rows: Rows, draws_by_xla: bool = False
) -> Step:
    """A step that runs on each replica of this process, and returns the means over all replicas.

    Args:
        step: As it is on one device.
        strategy: The one that its variables were made in; the default strategy for one device.
        rows: Those of the whole batch that this process gets.
        draws_by_xla: Whether the step draws the random numbers that XLA draws, as it does where XLA
            compiles it on one device.
    """
    if is_default(strategy):
        return step

    def step_of_replica(
        batch: Any, number: tf.Tensor, indices: tf.Tensor
    ) -> Mapping[str, tf.Tensor]:
        replica = rows_of_replica(_replica_number(), strategy.num_replicas_in_sync, rows.batch_size)
        batch, indices = tf.nest.map_structure(
            lambda tensor: replica.take(tensor, of=rows), (batch, indices)
        )
        token = _averaged.set([])
        try:
            with (
                draws_of_whole_batch(replica, draws_by_xla),
                averaged_gradients(mean_over_replicas),
            ):
                return mean_over_replicas(step(batch, number, indices))
        finally:
            _averaged.reset(token)

    def step_of_all(batch: Any, number: tf.Tensor, indices: tf.Tensor) -> Mapping[str, tf.Tensor]:
        returned = strategy.run(step_of_replica, args=(batch, number, indices))
        return tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], returned
        )

    step_of_all.__qualname__ = step.__qualname__
    return step_of_all


def whole_weight(strategy: tf.distribute.Strategy, rows: Rows) -> Callable[[tf.Tensor], tf.Tensor]:
    """From the weights of the rows that this process gets to that of the whole batch, a scalar.

    Args:
        strategy: The one of the steps.
        rows: Those of the whole batch that this process gets.
    """
    if rows.count == rows.batch_size:
        return tf.reduce_sum

    def of_replica(sample_weight: tf.Tensor) -> tf.Tensor:
        replica = tf.distribute.get_replica_context()
        own = rows_of_replica(_replica_number(), strategy.num_replicas_in_sync, rows.batch_size)
        weight = tf.reduce_sum(own.take(sample_weight, of=rows))
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, weight)

    def of_all(sample_weight: tf.Tensor) -> tf.Tensor:
        weight = strategy.run(of_replica, (sample_weight,))
        return strategy.experimental_local_results(weight)[0]

    return of_all


def is_default(strategy: tf.distribute.Strategy) -> bool:
    """Whether it is TensorFlow's own for one device."""
    with strategy.scope():
        return not tf.distribute.has_strategy()


def batch_mean(values: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
    """The weighted mean of the examples of a batch, scalar; 0 where all weights are 0.

    On a replica its share of that of the whole batch: the mean over the replicas is the mean over
    the examples, however many each has.

    Args:
        values: Of the replica's examples, float32 [rows].
        sample_weight: float32 [rows].
    """
    total, weight = tf.reduce_sum(values * sample_weight), tf.reduce_sum(sample_weight)
    return tf.math.divide_no_nan(total, mean_over_replicas(weight))


def mean_over_replicas(values: Any) -> Any:
    """Within a step the mean of each tensor over all replicas; on one device the tensors.

    Args:
        values: Any structure of tensors and None.
    """
    averaged, replica = _averaged.get(), tf.distribute.get_replica_context()
    if averaged is None or replica is None or replica.num_replicas_in_sync == 1:
        return values
    new = [v for v in tf.nest.flatten(values) if v is not None and not _is_in(averaged, v)]
    means = dict(zip(map(id, new), _all_reduced(replica, new), strict=True))
    averaged += means.values()
    return tf.nest.map_structure(lambda value: means.get(id(value), value), values)


def _all_reduced(replica: tf.distribute.ReplicaContext, values: list[Any]) -> list[tf.Tensor]:
    """The means of tensors, in one vector: each call between replicas takes its time."""
    if not values:
        return []
    dense = [_floating(tf.convert_to_tensor(value)) for value in values]
    vector = tf.concat([tf.reshape(tf.cast(v, tf.float32), [-1]) for v in dense], axis=0)
    mean = replica.all_reduce(tf.distribute.ReduceOp.MEAN, vector)
    parts = tf.split(mean, [value.shape.num_elements() for value in dense])
    return [
        tf.cast(tf.reshape(part, value.shape), value.dtype)
        for part, value in zip(parts, dense, strict=True)
    ]


def _floating(value: tf.Tensor) -> tf.Tensor:
    return value if value.dtype.is_floating else tf.cast(value, tf.float32)


def _is_in(tensors: list[tf.Tensor], value: Any) -> bool:
    return any(tensor is value for tensor in tensors)


def _replica_number() -> int:
    """Of the replica whose graph is being made."""
    replica = tf.distribute.get_replica_context()
    return int(tf.get_static_value(replica.replica_id_in_sync_group))
