"""The time that each part of a run takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping


class Clock:
    """Seconds by phase; start-up is what no other phase has."""

    def __init__(self) -> None:
        """Start now."""
        self._began = time.perf_counter()
        self._seconds = {"extract": 0.0, "train": 0.0, "evaluate": 0.0, "report": 0.0}
        self._running: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside: extract, train (validation included), evaluate or report."""
        self._running[name] = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] += time.perf_counter() - self._running.pop(name)

    def add(self, earlier: Mapping[str, float]) -> None:
        """Count what a run took before it was interrupted: what `seconds` was then."""
        self._began -= earlier["total"]
        for name in self._seconds:
            self._seconds[name] += earlier.get(name, 0.0)  # of an earlier release

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each phase and in total since the start, rounded to milliseconds."""
        now = time.perf_counter()
        phases = {
            name: seconds + now - self._running.get(name, now)
            for name, seconds in self._seconds.items()
        }
        startup = now - self._began - sum(phases.values())
        seconds = {"startup": startup, **phases, "total": now - self._began}
        return {name: round(value, 3) for name, value in seconds.items()}
