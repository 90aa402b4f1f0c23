"""The folder of one run: LOG_DIR/<task>/<run>/, and what is called what in it."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from trainer.core.errors import DivergedError, UserError


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
        """The last of them."""
        return self.path / "checkpoints"

    @property
    def has_checkpoint(self) -> bool:
        """Whether something was learnt in it that a run can go on from."""
        return self.checkpoints.is_dir() and any(self.checkpoints.iterdir())


@contextlib.contextmanager
def new_run_folder(log_dir: Path, task_name: str) -> Iterator[RunFolder]:
    """A folder that no other run has, called by the time.

    It is taken away again if a person's mistake ends the run before anything was learnt.

    Raises:
        UserError: the folder cannot be made.
    """
    folder = RunFolder(_make(log_dir, task_name))
    try:
        with _held(folder):
            yield folder
    except DivergedError:
        raise  # its curves tell why
    except UserError:
        if not folder.has_checkpoint:
            _take_away(folder.path)
        raise


@contextlib.contextmanager
def existing_run_folder(path: Path) -> Iterator[RunFolder]:
    """The folder of a run that goes on, and that no other process runs in.

    Raises:
        UserError: one does.
    """
    folder = RunFolder(path)
    with _held(folder):
        yield folder


@contextlib.contextmanager
def temporary_run_folder() -> Iterator[RunFolder]:
    """A folder that is taken away again, whatever has come into it."""
    with tempfile.TemporaryDirectory() as path:
        yield RunFolder(Path(path))


def _make(log_dir: Path, task_name: str) -> Path:
    started = time.strftime("%Y-%m-%d_%H-%M-%S")
    try:
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
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
            path = parent / f"{name}-{number}"


@contextlib.contextmanager
def _held(folder: RunFolder) -> Iterator[None]:
    """While this process runs in a folder no other does; the system lets go of it with us."""
    lock = filelock.FileLock(folder.path / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise UserError(
            f"{folder.path}: another process runs in it; wait for its end, or start a new run"
        ) from None
    except OSError as error:
        raise UserError(
            f"{folder.path}: nothing can be written there ({error.strerror or error});"
            " a run goes on in its own folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _take_away(path: Path) -> None:
    """The run's folder, and its task's where no run is left in it."""
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):  # other runs are there
        path.parent.rmdir()
