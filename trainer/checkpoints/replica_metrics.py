"""The metrics of an epoch that is not over, of which each replica has counted its own part.

A checkpoint holds their sums, as of one device, and beside them the part of each replica. A run
that resumes on as many replicas gives each its own again, and so ends with the same bits; on
another number the first one gets the sums.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

PARTS = "metrics_by_replica"
"""Their name in a checkpoint."""


class ReplicaMetrics:
    """The variables of metrics; where each replica has its own, copies that a checkpoint holds."""

    def __init__(self, variables: Sequence[Any], strategy: tf.distribute.Strategy) -> None:
        """Those of Keras' metrics, made in the scope of a strategy or outside of it."""
        values = [variable.value for variable in variables]
        counted = [v for v in values if isinstance(v, tf.distribute.DistributedValues)]
        sums = {id(v): tf.Variable(tf.zeros(v.shape, v.dtype)) for v in counted}
        self._strategy, self._counted, self._sums = strategy, counted, list(sums.values())
        self.variables = [sums.get(id(value), value) for value in values]
        """What a checkpoint holds, in their order."""

    def read(self) -> list[tf.Variable]:
        """Take the present values; all workers of a run do it together.

        Returns:
            The part of each replica, [replicas, …] of each variable.
        """
        parts = self._gathered()
        for total, part in zip(self._sums, parts, strict=True):
            total.assign(tf.reduce_sum(part, axis=0))
        return [tf.Variable(part) for part in parts]

    def write(self, parts: Sequence[tf.Variable]) -> None:
        """Give the values back, which may be those of another number of replicas."""
        if not self._sums:
            return
        replicas = self._strategy.num_replicas_in_sync
        if parts and parts[0].shape[0] == replicas:
            self._assign([part.value() for part in parts])
        else:
            others = [tf.zeros([replicas - 1, *v.shape], v.dtype) for v in self._sums]
            self._assign(
                [tf.concat([v[None], o], 0) for v, o in zip(self._sums, others, strict=True)]
            )

    @functools.cached_property
    def _gathered(self) -> tf.types.experimental.GenericFunction:
        """The values of every replica, one behind the other: [replicas, …] of each variable."""
        strategy = self._strategy

        def own_in_its_place() -> list[tf.Tensor]:
            replica = tf.distribute.get_replica_context()
            place = tf.one_hot(replica.replica_id_in_sync_group, strategy.num_replicas_in_sync)
            own = [tf.convert_to_tensor(v) for v in self._counted]
            return [
                replica.all_reduce("SUM", tf.tensordot(tf.cast(place, v.dtype), v, axes=0))
                for v in own
            ]

        @tf.function
        def gathered() -> list[tf.Tensor]:
            values = strategy.run(own_in_its_place)
            return [strategy.experimental_local_results(value)[0] for value in values]

        return gathered if self._counted else list

    @functools.cached_property
    def _assign(self) -> tf.types.experimental.GenericFunction:
        """Assigns to each replica its row of [replicas, …]."""

        def assign_own(values: list[tf.Tensor]) -> None:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            for variable, value in zip(self._counted, values, strict=True):
                variable.assign(value[number])

        return tf.function(lambda values: self._strategy.run(assign_own, (values,)))


def saved_parts(prefix: str) -> list[tf.Variable]:
    """Room for the parts that TensorFlow's files of a checkpoint hold; none of one device."""
    reader = tf.train.load_checkpoint(prefix)
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    names = [f"{PARTS}/{number}/.ATTRIBUTES/VARIABLE_VALUE" for number in range(len(shapes))]
    return [tf.Variable(tf.zeros(shapes[n], dtypes[n])) for n in names if n in shapes]
