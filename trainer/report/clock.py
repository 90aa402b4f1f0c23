"""How long each part of a run took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Seconds by phase; start-up is all that is in none of the others."""

    def __init__(self) -> None:
        """Start now."""
        self._began = time.perf_counter()
        self._seconds = {"extract": 0.0, "train": 0.0, "evaluate": 0.0}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside: extract, train (validation included) or evaluate (the test)."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] += time.perf_counter() - began

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each phase and in total since the start, rounded to milliseconds."""
        total = time.perf_counter() - self._began
        startup = total - sum(self._seconds.values())
        seconds = {"startup": startup, **self._seconds, "total": total}
        return {name: round(value, 3) for name, value in seconds.items()}
