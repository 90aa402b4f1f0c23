"""What the workers of a run agree on: all take the same steps, and one of them, the chief, writes.

What depends on time or on a signal is different on each. So before each call into the graph, and
after it, they exchange a number.
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext

import tensorflow as tf

from trainer.core import signals
from trainer.distribution.replicas import is_default


class Workers:
    """The processes of a run, of which this is one; a single one exchanges nothing."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        """Those of a strategy."""
        resolver = None if is_default(strategy) else strategy.cluster_resolver
        self._strategy = strategy
        self.count = 1 if resolver is None else strategy.extended._num_workers
        """How many there are."""
        self.number = 0 if resolver is None else strategy.extended._id_in_cluster
        """Which of them this one is, from 0."""
        self.is_chief = self.count == 1 or strategy.extended._is_chief
        """Whether this one writes logs, checkpoints and results, and says when."""

    def as_chief(self, number: int) -> int:
        """The number that the chief has."""
        return self._sum(number if self.is_chief else 0)

    def any(self, is_so: bool) -> bool:
        """Whether it is so on any worker."""
        return self._sum(int(is_so)) > 0

    def allow_signals(self) -> AbstractContextManager[None]:
        """Inside, a signal may interrupt what runs, if no other worker waits for it then."""
        return signals.allow_signals() if self.count == 1 else nullcontext()

    def check_interrupt(self) -> None:
        """End here, if a signal asked any of them for it.

        Raises:
            Interrupted: one did.
        """
        asked = signals.asked()
        if self.any(asked is not None):
            raise signals.Interrupted(asked or signals.TERMINATED)

    def _sum(self, number: int) -> int:
        if self.count == 1:
            return number
        replicas_of_each = self._strategy.num_replicas_in_sync // self.count
        return int(self._summed(tf.constant(number))) // replicas_of_each

    @functools.cached_property
    def _summed(self) -> tf.types.experimental.GenericFunction:
        strategy = self._strategy

        def of_replica(number: tf.Tensor) -> tf.Tensor:
            replica = tf.distribute.get_replica_context()
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, number)

        @tf.function
        def summed(number: tf.Tensor) -> tf.Tensor:
            return strategy.experimental_local_results(strategy.run(of_replica, (number,)))[0]

        return summed
