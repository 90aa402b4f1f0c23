"""The folder of one run, LOG_DIR/<task>/<run>/, and the names of its files."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from trainer.core.errors import DivergedError, UserError
from trainer.core.locks import LockedError, locked

START_FORMAT = "%Y-%m-%d_%H-%M-%S"
"""Of the time in a folder's name."""


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where a run keeps its config, events, checkpoints, history and result."""

    path: Path

    @property
    def config(self) -> Path:
        """Every option of the run."""
        return self.path / "config.json"

    @property
    def history(self) -> Path:
        """The table of metrics, a row an epoch."""
        return self.path / "history.csv"

    @property
    def result(self) -> Path:
        """What the run ended with."""
        return self.path / "result.json"

    @property
    def lock(self) -> Path:
        """What the process that runs in it holds."""
        return self.path / ".lock"

    @property
    def report(self) -> Path:
        """The page that shows it."""
        return self.path / "report.html"

    @property
    def curves(self) -> Path:
        """The picture of training and validation."""
        return self.path / "curves.png"

    @property
    def checkpoints(self) -> Path:
        """The folder of the last three."""
        return self.path / "checkpoints"

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self.checkpoints.is_dir() and any(self.checkpoints.iterdir())


@contextlib.contextmanager
def new_run_folder(
    log_dir: Path, task_name: str, run_name: str | None = None, taken: Collection[str] = ()
) -> Iterator[RunFolder]:
    """A folder that no other run has.

    It is removed if a person's mistake ends the run before anything was learned.

    Args:
        log_dir: Where runs are.
        task_name: The folder of the task's runs there.
        run_name: The folder's name; the time, when None.
        taken: Names that other runs of the task have elsewhere.

    Raises:
        UserError: the folder cannot be made, or there is a run of that name.
    """
    folder = RunFolder(_make_new(log_dir, task_name, run_name, taken))
    try:
        with _locked(folder):
            yield folder
    except (DivergedError, BrokenPipeError):
        raise  # its curves show why; nobody reads what it prints, but it can be resumed
    except Exception:
        if not folder.has_checkpoint:
            _remove(folder.path)
        raise


@contextlib.contextmanager
def existing_run_folder(path: Path) -> Iterator[RunFolder]:
    """The folder of a run to resume, in which no other process runs.

    Raises:
        UserError: another process runs in it, or nothing can be written there.
    """
    folder = RunFolder(path)
    if not os.access(path, os.W_OK):
        raise UserError(f"{path}: nothing can be written there; a run is resumed in its own folder")
    with _locked(folder):
        yield folder


@contextlib.contextmanager
def temporary_run_folder() -> Iterator[RunFolder]:
    """A folder that is removed with everything in it."""
    with tempfile.TemporaryDirectory() as path:
        yield RunFolder(Path(path))


def _make_new(log_dir: Path, task_name: str, run_name: str | None, taken: Collection[str]) -> Path:
    parent = log_dir / task_name
    try:
        if run_name is None:
            return _make_numbered(parent, time.strftime(START_FORMAT), taken)
        if run_name in taken:
            raise FileExistsError
        (parent / run_name).mkdir(parents=True)
        return parent / run_name
    except FileExistsError:
        raise UserError(
            f"--run-name {run_name}: {parent / str(run_name)} is there already; choose another"
            " name, or resume it with --resume"
        ) from None
    except OSError as error:
        raise UserError(
            f"--log-dir {log_dir}: no run folder can be made there"
            f" ({error.strerror}: {error.filename}); choose another folder"
        ) from error


def _make_numbered(parent: Path, name: str, taken: Collection[str]) -> Path:
    """Of two runs that start in the same second mkdir gives the name to one of them alone."""
    path, number = parent / name, 1
    while True:
        try:
            if path.name not in taken:
                path.mkdir(parents=True)
                return path
        except FileExistsError:
            pass
        number += 1
        path = parent / f"{name}-{number}"


@contextlib.contextmanager
def _locked(folder: RunFolder) -> Iterator[None]:
    """While this process runs in a folder no other does; the system unlocks it when we end."""
    try:
        with locked(folder.lock):
            yield
    except LockedError:
        raise UserError(
            f"{folder.path}: another process runs in it; wait for its end, or start a new run"
        ) from None


def _remove(path: Path) -> None:
    """The run's folder, and its task's where no run is left in it."""
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):  # other runs are there
        path.parent.rmdir()
