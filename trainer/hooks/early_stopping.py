"""Ending training before its last epoch: at a target, without progress, after a time.

A hook ends training by `trainer.stop(reason)`: the hooks after it still speak, and those that
close an epoch do so where it was cut short. The reason is the option that asked for it.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trainer.config import conditions
from trainer.core.errors import UserError
from trainer.loop.history import EpochRecord, best_record
from trainer.loop.inner_loop import Span
from trainer.loop.triggers import EverySeconds, EverySteps, Trigger
from trainer.report.clock import Clock

if TYPE_CHECKING:
    from trainer.hooks.standard import Hook
    from trainer.loop.trainer import Trainer

COMPARISONS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}

LOOK_AT_THE_CLOCK_SECONDS = 0.5
"""How long a span may keep a run from seeing that its time is over."""


class StopAt:
    """Stops at the end of the first epoch whose metrics reach all targets."""

    def __init__(self, trainer: Trainer, bounds: Sequence[str], when: Trigger) -> None:
        """Bounds on metrics, as `trainer.config.conditions` reads them.

        Raises:
            UserError: the trainer has no such metric; those that it has are told.
        """
        self.when = when
        self._targets = [conditions.parse("--stop-at", bound) for bound in bounds]
        for target in self._targets:
            _require_known(target, trainer.metric_names(target.split))

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after the record of the epoch."""
        if all(_is_reached(target, trainer.history[-1]) for target in self._targets):
            trainer.stop(f"--stop-at {' '.join(target.text for target in self._targets)}")


class EarlyStopping:
    """Stops after so many epochs without a better validation, as `best_record` orders them."""

    def __init__(self, epochs: int, when: Trigger) -> None:
        """It has no state of its own: all it goes by is in the history."""
        self._epochs, self.when = epochs, when

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after the record of the epoch."""
        best = trainer.history.index(best_record(trainer.history))
        if len(trainer.history) - 1 - best >= self._epochs:
            trainer.stop(f"--patience {self._epochs}")


class MaxMinutes:
    """Stops when training has taken so many minutes, in the midst of an epoch too."""

    def __init__(self, minutes: float, clock: Clock) -> None:
        """The clock knows what a run that goes on has taken before."""
        self.when = EverySeconds(LOOK_AT_THE_CLOCK_SECONDS)
        self._minutes, self._clock = minutes, clock

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come before the record of the epoch, which is then of its steps so far."""
        self.when.measured(span.steps, span.seconds)
        if self._clock.seconds["train"] >= 60 * self._minutes and not trainer.finished:
            trainer.stop(f"--max-minutes {self._minutes:g}")


class StopAfterOneStep:
    """Stops a run that is only tried out."""

    when = EverySteps(1)

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come before the record of the epoch."""
        trainer.stop("--dry-run")


def stops_within_epochs(trainer: Trainer, clock: Clock) -> list[Hook]:
    """Those of the run's options that may cut an epoch short, before its record is made."""
    stops: list[Hook] = []
    if trainer.config.dry_run:
        stops.append(StopAfterOneStep())
    if trainer.config.max_minutes is not None:
        stops.append(MaxMinutes(trainer.config.max_minutes, clock))
    return stops


def stops_after_epochs(trainer: Trainer, when: Trigger) -> list[Hook]:
    """Those of the run's options that go by the record of an epoch.

    Raises:
        UserError: a target names a metric that there is not.
    """
    stops: list[Hook] = []
    if trainer.config.stop_at:
        stops.append(StopAt(trainer, trainer.config.stop_at, when))
    if trainer.config.patience is not None:
        stops.append(EarlyStopping(trainer.config.patience, when))
    return stops


def _require_known(target: conditions.Target, names: Sequence[str]) -> None:
    if target.metric not in names:
        raise UserError(
            f"--stop-at {target.text}: {target.split} has no metric {target.metric!r}; there are"
            f" {', '.join(names)}"
        )


def _is_reached(target: conditions.Target, record: EpochRecord) -> bool:
    # Metrics are float32, in which nine of ten are a little less than 0.9 is as a Python float.
    value = np.float32(record.metrics[target.split][target.metric])
    return bool(COMPARISONS[target.comparison](value, np.float32(target.bound)))
