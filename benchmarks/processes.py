"""Whole processes of Python: what they print, how long they take, how much memory they need."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).parents[1]
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `ru_maxrss`, which depends on the system."""


@dataclasses.dataclass(frozen=True)
class Finished:
    """A process that has ended without an error."""

    output: str
    began: float
    """When it was started, as `time.time()`."""

    seconds: float
    peak_megabytes: float
    """The most memory that it had at any time (its resident set), in units of 1,000,000 bytes.

    No less than that of the process that started it, which Linux passes on: keep that one small.
    """


def run_python(*arguments: object, settings: Sequence[str] = ()) -> Finished:
    """Run Python in the checkout, to its end.

    Args:
        arguments: Behind the interpreter.
        settings: Environment variables that it gets besides, each as NAME=VALUE.

    Raises:
        RuntimeError: it failed; with the end of what it wrote to standard error.
    """
    command = [sys.executable, *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        clock, began = time.time(), time.perf_counter()
        environment = os.environ | dict(setting.split("=", 1) for setting in settings)
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it too
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{_content(errors)[-4000:]}")
        return Finished(_content(output), clock, seconds, usage.ru_maxrss * MAXRSS_UNIT / 1e6)


def run_trainer(folder: Path, *options: object) -> Finished:
    """Run `python -m trainer.run`, its cache and its logs in `folder/cache` and `folder/logs`.

    Raises:
        RuntimeError: it failed.
    """
    folders = ("--cache-dir", folder / "cache", "--log-dir", folder / "logs")
    return run_python("-m", "trainer.run", *folders, *options)


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
