"""What the workers of a run agree on: all take the same steps, and one of them, the chief, writes.

What depends on time or on a signal is different on each. So before each call into the graph, and
after it, they exchange a number.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import tensorflow as tf

from trainer.core import signals
from trainer.core.progress import shown_by
from trainer.distribution.replicas import is_default
from trainer.distribution.rows import Rows, rows_of_replica

logger = logging.getLogger(__name__)

MAX_TEXT = 4096


class Workers:
    """The processes of a run, of which this is one; a single one exchanges nothing."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        """Those of a strategy."""
        resolver = None if is_default(strategy) else strategy.cluster_resolver
        self.strategy = strategy
        """Of the run."""
        self.count = 1 if resolver is None else strategy.extended._num_workers
        """How many there are."""
        self.number = 0 if resolver is None else strategy.extended._id_in_cluster
        """Which of them this one is, from 0."""
        self.is_chief = self.count == 1 or strategy.extended._is_chief
        """Whether this one writes logs, checkpoints and results, and says when."""

    @contextlib.contextmanager
    def shown_by_chief(self) -> Iterator[None]:
        """Inside, the chief alone shows messages and progress; the others say so, and warn."""
        if self.is_chief:
            yield
            return
        logger.info(
            "worker %d of %d trains with the chief, which shows and writes everything",
            *(self.number, self.count),
        )
        package = logging.getLogger(__name__.partition(".")[0])
        level = package.level
        package.setLevel(logging.WARNING)
        try:
            with shown_by(None):
                yield
        finally:
            package.setLevel(level)

    def rows(self, batch_size: int) -> Rows:
        """Those of a batch that the replicas of this worker take.

        Raises:
            UserError: there are fewer rows than replicas.
        """
        replicas, of_each = self.strategy.num_replicas_in_sync, self._replicas_of_each
        first = rows_of_replica(self.number * of_each, replicas, batch_size)
        last = rows_of_replica((self.number + 1) * of_each - 1, replicas, batch_size)
        return Rows(first.first, last.last, batch_size)

    def as_chief(self, number: int) -> int:
        """The number that the chief has."""
        return self._sum(number if self.is_chief else 0)

    def text_of_chief(self, text: str) -> str:
        """The text that the chief has, of up to MAX_TEXT bytes in UTF-8."""
        if self.count == 1:
            return text
        own = text.encode()[:MAX_TEXT].ljust(MAX_TEXT, b"\0") if self.is_chief else bytes(MAX_TEXT)
        summed = self._summed(tf.constant(list(own))).numpy() // self._replicas_of_each
        return bytes(summed.astype("uint8")).rstrip(b"\0").decode()

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
        return int(self._summed(tf.constant(int(number)))) // self._replicas_of_each

    @property
    def _replicas_of_each(self) -> int:
        return self.strategy.num_replicas_in_sync // self.count

    @functools.cached_property
    def _summed(self) -> tf.types.experimental.GenericFunction:
        strategy = self.strategy

        def of_replica(number: tf.Tensor) -> tf.Tensor:
            replica = tf.distribute.get_replica_context()
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, number)

        @tf.function
        def summed(number: tf.Tensor) -> tf.Tensor:
            return strategy.experimental_local_results(strategy.run(of_replica, (number,)))[0]

        return summed
