"""Progress of long work: code reports it, and the display of the process shows it.

As with `logging`, whoever works does not know who watches:

```python
with progress_bar("extracting train", "images") as report:
    report(32, 1000)
```

Without a display, in a script or a notebook, nothing is shown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class Progress(Protocol):
    """Is called with how far some work is."""

    def __call__(self, done: int, total: int, note: str | None = None) -> None:
        """So many of so many are done; a note is shown in place of the number a second."""


Bars = Callable[[str, str], AbstractContextManager[Progress]]
"""From the name of some work and the unit that it is counted in to a live line."""


def ignore_progress(done: int, total: int, note: str | None = None) -> None:
    """Show nothing."""


class _Display:
    """A process has one display, if any."""

    bars: Bars | None = None


@contextlib.contextmanager
def shown_by(bars: Bars | None) -> Iterator[None]:
    """While inside, progress is shown by these; not at all by None."""
    before, _Display.bars = _Display.bars, bars
    try:
        yield
    finally:
        _Display.bars = before


@contextlib.contextmanager
def progress_bar(name: str, unit: str) -> Iterator[Progress]:
    """A live line while the work lasts, where the process has a display."""
    if _Display.bars is None:
        yield ignore_progress
        return
    with _Display.bars(name, unit) as report:
        yield report
