"""Locks between processes, which the system releases when a process ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock


class LockedError(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def locked(path: Path, before_waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """While inside, no other process is inside with the same path.

    Args:
        path: The lock's own file.
        before_waiting: Called before this process waits for another; without it nobody waits.

    Raises:
        LockedError: another process is inside, and nobody waits.
        OSError: the lock's file cannot be written.
    """
    lock = filelock.FileLock(path, thread_local=False)  # it may be left in another thread
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        if before_waiting is None:
            raise LockedError(str(path)) from None
        before_waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
