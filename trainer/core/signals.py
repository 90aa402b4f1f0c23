"""Ctrl-C and SIGTERM: the first asks a run to save and end, the second ends it immediately.

```python
with handle_signals():  # the command
    with exit_immediately():  # imports: nothing has begun, and an exception within may be lost
        …
    with defer_signals():  # training: no call into the graph is interrupted
        …
        check_interrupt()  # between calls, where the state of training is whole
        with allow_signals():  # what may be interrupted anywhere
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
TERMINATED = signal.SIGTERM
"""What asks the other workers of a run to end, where one of them is asked."""


class Interrupted(KeyboardInterrupt):
    """A signal asks the run to end."""

    def __init__(self, number: int, text: str | None = None) -> None:
        """The signal's number, and a text for people."""
        self.number = number
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        super().__init__(text or f"stopped by {name}")

    @property
    def exit_code(self) -> int:
        """What shells report of a process that a signal ended: 130 or 143."""
        return 128 + self.number

    def with_text(self, more: str) -> Interrupted:
        """The same, with more text."""
        return Interrupted(self.number, f"{self}{more}")


class _State:
    """Python handles signals once in a process, and so does this module."""

    asked: int | None = None
    deferring = False
    handling = False
    ends_process = True
    """Whether a second signal ends the process, or does what it did before we handled any."""
    before: dict[int, object] = {}
    standard_error: int | None = None
    """Where a process that exits during an import writes its last line."""


@contextlib.contextmanager
def handle_signals(second_ends_process: bool = True) -> Iterator[None]:
    """Inside, the first of these signals raises `Interrupted`.

    Nothing changes within another `handle_signals`, or outside of the main thread, which alone may
    handle signals.

    Args:
        second_ends_process: Whether the second signal ends the process by the system itself, which
            waits for no call to return; without it the handlers of before get it, those of a
            notebook say.
    """
    if _State.handling or threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.handling, _State.ends_process = True, second_ends_process
    _State.before = {number: signal.signal(number, _handle) for number in ENDING}
    try:
        yield
    finally:
        _restore_handlers()
        _State.asked, _State.handling = None, False


@contextlib.contextmanager
def exit_immediately() -> Iterator[None]:
    """Inside, a signal ends the process at once, with a line on what is standard error now."""
    _State.standard_error = os.dup(2)
    try:
        yield
    finally:
        os.close(_State.standard_error)
        _State.standard_error = None


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Inside, a signal waits for `check_interrupt`, `allow_signals` or the end."""
    with _deferring(True):
        yield
    if not _State.deferring:
        check_interrupt()


@contextlib.contextmanager
def allow_signals() -> Iterator[None]:
    """Inside, a signal interrupts what runs; one that has waited does so before it begins."""
    with _deferring(False):
        check_interrupt()
        yield


def restore_handlers() -> None:
    """Let Python have its signals again, after a library that has taken them for itself."""
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            signal.signal(number, signal.getsignal(number))


def asked() -> int | None:
    """The signal that asks the run to end, if one does."""
    return _State.asked


def check_interrupt() -> None:
    """End here, if a signal asked for it.

    Raises:
        Interrupted: one did.
    """
    if _State.asked is not None:
        raise Interrupted(_State.asked)


@contextlib.contextmanager
def _deferring(deferring: bool) -> Iterator[None]:
    before, _State.deferring = _State.deferring, deferring
    try:
        yield
    finally:
        _State.deferring = before


def _restore_handlers() -> None:
    for number, handler in _State.before.items():
        signal.signal(number, handler)  # type: ignore[arg-type]


def _handle(number: int, _: FrameType | None) -> None:
    if _State.standard_error is not None:
        interrupted = Interrupted(number)
        os.write(_State.standard_error, f"{interrupted}\n".encode())
        os._exit(interrupted.exit_code)
    _State.asked = number
    if _State.ends_process:
        for each in ENDING:
            signal.signal(each, signal.SIG_DFL)
    else:
        _restore_handlers()
    if not _State.deferring:
        raise Interrupted(number)
