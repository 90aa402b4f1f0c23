"""When a hook is called, apart from what it does then."""

from __future__ import annotations

import abc
import dataclasses
import math
import time
from collections.abc import Callable


class Trigger(abc.ABC):
    """Says at which step the next call into the graph must end, and whether a hook is due then."""

    @abc.abstractmethod
    def next(self, step: int) -> float:
        """The first step after `step` at which a call into the graph must end; infinity for any."""

    @abc.abstractmethod
    def due(self, step: int, finished: bool) -> bool:
        """Whether the hook is called, now that a call into the graph has ended at `step`.

        Args:
            step: How many steps are done.
            finished: Whether training ends with it.
        """

    def observe(self, steps: int, seconds: float) -> None:  # noqa: B027 (most need no override)
        """Take note of how long a call into the graph took, for so many steps."""


class Always(Trigger):
    """After every call into the graph, however many steps the other triggers let it have."""

    def next(self, step: int) -> float:
        """No step: calls end where the others have them end."""
        return math.inf

    def due(self, step: int, finished: bool) -> bool:
        """Always."""
        return True


@dataclasses.dataclass(frozen=True)
class EverySteps(Trigger):
    """At every `steps`-th step, and at the end of training too if `at_end`."""

    steps: int
    at_end: bool = False

    def next(self, step: int) -> int:
        """The next multiple."""
        return (step // self.steps + 1) * self.steps

    def due(self, step: int, finished: bool) -> bool:
        """Whether the step is a multiple, or the last."""
        return step % self.steps == 0 or (self.at_end and finished)


class EverySeconds(Trigger):
    """About every so many seconds: calls get as many steps as the last one did in that time."""

    def __init__(self, seconds: float) -> None:
        """One step a call until the first is measured."""
        self._seconds = seconds
        self._steps = 1

    def observe(self, steps: int, seconds: float) -> None:
        """Compute how many steps fill the time."""
        self._steps = max(1, int(self._seconds * steps / max(seconds, 1e-6)))

    def next(self, step: int) -> int:
        """As many steps on as the time allows, at least one."""
        return step + self._steps

    def due(self, step: int, finished: bool) -> bool:
        """Always: no call takes longer than the time allows."""
        return True


class TimeBudget(Trigger):
    """As often as a share of all time is enough for, and at the end of training."""

    FIRST_SECONDS = 1.0
    """After how long it is due for the first time."""

    def __init__(self, share: float) -> None:
        """A share of 0.02 is 2 percent."""
        self._share = share
        self._next = time.monotonic() + self.FIRST_SECONDS

    def next(self, step: int) -> float:
        """No step: calls end where the others have them end."""
        return math.inf

    def due(self, step: int, finished: bool) -> bool:
        """Whether the time is there, or training is over."""
        return finished or time.monotonic() >= self._next

    def timed(self, action: Callable[[], None]) -> Callable[[], None]:
        """The action, after which it is due again when that took its share of the time."""

        def run() -> None:
            began = time.monotonic()
            action()
            ended = time.monotonic()
            self._next = ended + (ended - began) / self._share

        return run


@dataclasses.dataclass(frozen=True)
class Checkpointer:
    """Saves the state of training when it is due, after all hooks."""

    when: Trigger
    save: Callable[[], None]
