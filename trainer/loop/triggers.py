"""When a hook wants a word, apart from what it says then."""

from __future__ import annotations

import abc
import dataclasses
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.loop.trainer import Trainer


class Trigger(abc.ABC):
    """Tells the loop where to end a span of steps, and a hook whether its time has come."""

    @abc.abstractmethod
    def next(self, step: int) -> float:
        """The first step after `step` at which a span must end; infinity for any."""

    @abc.abstractmethod
    def due(self, step: int) -> bool:
        """Whether the hook speaks, now that a span has ended at `step`."""


@dataclasses.dataclass(frozen=True)
class EverySteps(Trigger):
    """At every `steps`-th step; an epoch is a number of steps too."""

    steps: int

    def next(self, step: int) -> int:
        """The next multiple."""
        return (step // self.steps + 1) * self.steps

    def due(self, step: int) -> bool:
        """Whether the step is a multiple."""
        return step % self.steps == 0


@dataclasses.dataclass(frozen=True)
class EveryStepsAndAtTheEnd(EverySteps):
    """At every `steps`-th step, and where training ends: after its last step or a stop."""

    trainer: Trainer

    def due(self, step: int) -> bool:
        """Whether the step is a multiple, or training is over with it."""
        return super().due(step) or self.trainer.finished


class EverySpan(Trigger):
    """After each span, however long the other hooks let it be."""

    def next(self, step: int) -> float:
        """Never ends a span of its own."""
        return math.inf

    def due(self, step: int) -> bool:
        """Always."""
        return True


class EverySeconds(Trigger):
    """About every so many seconds: spans are cut by how long the last one took a step."""

    def __init__(self, seconds: float) -> None:
        """Spans of one step until the first is measured."""
        self._seconds = seconds
        self._steps = 1

    def measured(self, steps: int, seconds: float) -> None:
        """Learn from a span how many steps fill the time."""
        self._steps = max(1, int(self._seconds * steps / max(seconds, 1e-6)))

    def next(self, step: int) -> int:
        """As many steps on as the time allows, one at least."""
        return step + self._steps

    def due(self, step: int) -> bool:
        """Always: no span is longer than the time allows."""
        return True


class TimeBudget(Trigger):
    """As often as a share of all time is enough for, and where training ends."""

    def __init__(self, share: float, trainer: Trainer) -> None:
        """The first time is after a second."""
        self._share, self._trainer = share, trainer
        self._next = time.monotonic() + 1.0

    def timed(self, action: Callable[[], None]) -> Callable[[], None]:
        """What is done then; how long it takes tells when it is done again."""

        def run() -> None:
            began = time.monotonic()
            action()
            ended = time.monotonic()
            self._next = ended + (ended - began) / self._share

        return run

    def next(self, step: int) -> float:
        """Never ends a span of its own."""
        return math.inf

    def due(self, step: int) -> bool:
        """Whether it is time, or training is over."""
        return self._trainer.finished or time.monotonic() >= self._next
