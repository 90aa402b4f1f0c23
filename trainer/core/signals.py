"""Ctrl-C and SIGTERM: the first asks a run to end well, the second ends it at once.

```python
with handled():  # the command
    with exiting():  # imports: nothing is begun, and an exception in the midst may be lost
        …
    with deferred():  # training: nothing is torn in the midst of a span
        …
        check_interrupt()  # between spans, where all is whole
        with at_once():  # what may be broken off anywhere
            …
```
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A signal asks the run to end."""

    def __init__(self, number: int, text: str | None = None) -> None:
        """By the signal's number; the text is for people."""
        self.number = number
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        super().__init__(text or f"stopped by {name}")

    @property
    def exit_code(self) -> int:
        """What shells report of a process that a signal ended: 130 or 143."""
        return 128 + self.number

    def with_text(self, more: str) -> Interrupted:
        """The same, and more to tell."""
        return Interrupted(self.number, f"{self}{more}")


class _State:
    """Python handles signals in one place of a process, and so do we."""

    asked: int | None = None
    deferring = False
    last_word: int | None = None
    """The file that a process tells its end before it exits in the midst of an import."""


@contextlib.contextmanager
def handled() -> Iterator[None]:
    """Inside, the first of these signals raises `Interrupted`, the second ends the process.

    Elsewhere than in the main thread, which alone may handle signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _handle) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.asked = None


@contextlib.contextmanager
def exiting() -> Iterator[None]:
    """Inside, a signal ends the process on the spot, with a line on what is standard error now."""
    _State.last_word = os.dup(2)
    try:
        yield
    finally:
        os.close(_State.last_word)
        _State.last_word = None


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Inside, a signal waits for `check_interrupt`, `at_once` or the end."""
    with _deferring(True):
        yield
    if not _State.deferring:
        check_interrupt()


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Inside, a signal breaks off what runs; one that has waited does so before it begins."""
    with _deferring(False):
        check_interrupt()
        yield


def check_interrupt() -> None:
    """End here, if a signal asks for it.

    Raises:
        Interrupted: one did.
    """
    if _State.asked is not None:
        raise Interrupted(_State.asked)


@contextlib.contextmanager
def _deferring(wanted: bool) -> Iterator[None]:
    before, _State.deferring = _State.deferring, wanted
    try:
        yield
    finally:
        _State.deferring = before


def _handle(number: int, _: FrameType | None) -> None:
    if _State.last_word is not None:
        interrupted = Interrupted(number)
        os.write(_State.last_word, f"{interrupted}\n".encode())
        os._exit(interrupted.exit_code)
    _State.asked = number
    for each in ENDING:  # by the system itself, which waits for no call to return
        signal.signal(each, signal.SIG_DFL)
    if not _State.deferring:
        raise Interrupted(number)
