"""Calls that run side by side on the cores that there are."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

MOST_AT_ONCE = 8
"""Calls that run side by side, each of which holds memory."""


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def calls_at_once() -> int:
    """A call for each core, and one more for the moments in which one of them waits."""
    return min(usable_cores() + 1, MOST_AT_ONCE)


def side_by_side(calls: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What calls return, in their order, of which several run at a time.

    A network whose layers are too small for all cores so gets more of them.
    """
    at_once = calls_at_once()
    with ThreadPoolExecutor(at_once) as pool:
        started = deque[Future[T]]()
        for call in calls:
            started.append(pool.submit(call))
            if len(started) > at_once:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()
