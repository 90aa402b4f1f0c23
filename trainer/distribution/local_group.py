"""The workers of a run as processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

from trainer.core import signals

GROUP_SIZE = "TRAINER_LAUNCHED_WORKERS"
"""The environment variable by which a worker knows that it was started here."""

SECONDS_TO_END = 60
"""How long the others have to notice that one has ended, and to end in their own words."""


def run_group(command: Sequence[str], workers: int) -> int:
    """Run a command as each of so many workers, the first of them the chief.

    Returns:
        The exit code: of the first that has failed, 1 where a signal has ended it; else 0.
    """
    processes = [
        subprocess.Popen(command, env={**os.environ, **environment})
        for environment in _environments(workers)
    ]
    for process, cores in zip(processes, _shares_of_cores(workers), strict=True):
        _set_cores(process.pid, cores)
    with _ended(processes):
        codes = _wait(processes)
    first = next((code for code in codes if code), 0)
    return first if first >= 0 else 1


def _environments(workers: int) -> Iterator[Mapping[str, str]]:
    """TF_CONFIG of each: all addresses, and which of them it is."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _free_ports(workers)]}
    for index in range(workers):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": cluster, "task": task})
        yield {"TF_CONFIG": config, GROUP_SIZE: str(workers)}


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _shares_of_cores(workers: int) -> list[set[int]]:
    """Cores of its own for each worker; all for all, where there are fewer cores than workers."""
    try:
        cores = sorted(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return [set[int]()] * workers
    if len(cores) < workers:
        return [set(cores)] * workers
    return [set(cores[number::workers]) for number in range(workers)]


def _set_cores(pid: int, cores: set[int]) -> None:
    if cores:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, cores)


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """The exit codes in the order in which they come; one that fails sets the others a time."""
    codes, running, deadline = list[int](), list(processes), float("inf")
    while running and time.monotonic() < deadline:
        time.sleep(0.1)
        ended = [process for process in running if process.poll() is not None]
        running = [process for process in running if process not in ended]
        codes += [process.returncode for process in ended]
        if any(process.returncode for process in ended):
            deadline = min(deadline, time.monotonic() + SECONDS_TO_END)
    return codes


@contextlib.contextmanager
def _ended(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """No process is left behind; a signal to this one is handed on, and waited for."""
    try:
        yield
    except signals.Interrupted as interrupted:
        for process in processes:
            process.send_signal(interrupted.number)
        _wait(processes)
        raise
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
