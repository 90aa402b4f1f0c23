"""The processes that run trials, one for each core, as the command sees them."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

from trainer.sweeping.folder import SweepFolder

ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
)
"""What TensorFlow, and what computes below it, read at their import."""

_COMMAND = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
    " from trainer.sweeping.worker import serve; serve(*sys.argv[1:])"
)


class WorkerProcess:
    """A process of `trainer.sweeping.worker`, which this one talks to."""

    def __init__(self, folder: SweepFolder, number: int, core: int | None) -> None:
        """Start it; it imports TensorFlow at once.

        Args:
            folder: Of the sweep, which has its plan already.
            number: Of the process, for the name of the file that its standard error goes to.
            core: The core that it has to itself; None for all cores, with as many threads.
        """
        self.core, self.number, self._folder = core, number, folder
        threads = {} if core is None else ONE_THREAD
        arguments = [str(folder.path), "" if core is None else str(core)]
        self._errors = folder.path / f"worker-{number}.log"
        with self._errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, json.dumps(sys.path), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **threads},
                start_new_session=True,  # Ctrl-C is for the command, which ends this one
            )
        self._unread = b""
        self.has_ended = False

    @property
    def pipe(self) -> IO[bytes]:
        """What becomes readable when there are messages."""
        assert self._process.stdout is not None
        return self._process.stdout

    def send(self, message: Mapping[str, Any]) -> None:
        """Ask for something; nothing happens where the process has ended, as `messages` finds."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def messages(self) -> list[dict[str, Any]]:
        """The messages that have come; blocks until there is something to read."""
        read = os.read(self.pipe.fileno(), 1 << 16)
        self.has_ended = not read
        *lines, self._unread = (self._unread + read).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self, kill: bool = False) -> str:
        """Let the process end, or kill it; returns how it has ended."""
        if kill:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        code = self._process.wait()
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with code {code}; see {self._errors}"


def wait_for(workers: Sequence[WorkerProcess], seconds: float) -> list[WorkerProcess]:
    """The processes that have something to say, none after so many seconds."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.pipe, selectors.EVENT_READ, worker)
        return [key.data for key, _ in selector.select(seconds)]


def cores() -> list[int | None]:
    """The cores that this process may use; [None], all of them in one, where none can be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return [None]
    return [*sorted(os.sched_getaffinity(0))]
