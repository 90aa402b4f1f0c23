"""The folder of one run: LOG_DIR/<task>/<run>/, and what is called what in it."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import UserError


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where a run keeps its config, events, checkpoints, history and result."""

    path: Path

    @property
    def config(self) -> Path:
        """Every knob of the run."""
        return self.path / "config.json"

    @property
    def history(self) -> Path:
        """A row of metrics an epoch."""
        return self.path / "history.csv"

    @property
    def result(self) -> Path:
        """What the run ended with."""
        return self.path / "result.json"

    @property
    def checkpoints(self) -> Path:
        """The last checkpoints, and the best in a folder of its own."""
        return self.path / "checkpoints"


@contextlib.contextmanager
def new_run_folder(log_dir: Path, task_name: str) -> Iterator[RunFolder]:
    """A folder that no other run has, called by the time.

    It is taken away again if a person's mistake ends the run before anything was learnt.

    Raises:
        UserError: the folder cannot be made.
    """
    folder = RunFolder(_make(log_dir, task_name))
    try:
        yield folder
    except UserError:
        if not folder.checkpoints.exists():
            shutil.rmtree(folder.path)
        raise


@contextlib.contextmanager
def temporary_run_folder() -> Iterator[RunFolder]:
    """A folder that is taken away again, whatever has come into it."""
    with tempfile.TemporaryDirectory() as path:
        yield RunFolder(Path(path))


def _make(log_dir: Path, task_name: str) -> Path:
    started = time.strftime("%Y-%m-%d_%H-%M-%S")
    try:
        (log_dir / task_name).mkdir(parents=True, exist_ok=True)
        return _make_new(log_dir / task_name, started)
    except OSError as error:
        raise UserError(
            f"--log-dir {log_dir}: no run folder can be made there"
            f" ({error.strerror}: {error.filename})"
        ) from error


def _make_new(parent: Path, name: str) -> Path:
    """Two runs may start in the same second: mkdir gives the name to one of them alone."""
    path, number = parent / name, 1
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = parent / f"{name}-{number}"
