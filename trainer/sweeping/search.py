"""Where the points of a sweep come from: a list, or a study of Optuna that chooses each."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import filelock

from trainer.core.errors import UserError
from trainer.core.locks import LockedError, locked
from trainer.sweeping.folder import FAILED, PRUNED, SweepFolder
from trainer.sweeping.plan import Plan
from trainer.sweeping.results import Objective, PointResult
from trainer.sweeping.space import Choices, Point

PROCESS = "process"
"""Under which a study keeps the process that trains a point."""

EPOCHS_BEFORE_PRUNING = 1
"""No trial is pruned in these first epochs."""


class Search(Protocol):
    """Gives points and is told what they came to."""

    def next(self) -> tuple[int, Point] | None:
        """The number of a point, and the point; None where there is none left."""

    def should_prune(self, number: int, epoch: int, value: float) -> bool:
        """Whether the trial of a point is to end, by the metric after an epoch."""

    def finish(self, point: PointResult) -> None:
        """Take note of a point's trials, all of which have ended."""


class PlannedPoints:
    """The points of a grid, or random ones."""

    def __init__(self, points: Sequence[Point]) -> None:
        """In their order."""
        self._points = iter(enumerate(points))

    def next(self) -> tuple[int, Point] | None:
        """The next point."""
        return next(self._points, None)

    def should_prune(self, number: int, epoch: int, value: float) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def finish(self, point: PointResult) -> None:
        """There is nothing to learn from it."""


class Study:
    """A study of Optuna in the sweep's folder, which several processes and machines may share.

    Each process holds a lock while it lives: the points of one that has died are taken over.
    """

    def __init__(self, plan: Plan, folder: SweepFolder, objective: Objective) -> None:
        """Begin the study, or join it.

        Raises:
            UserError: Optuna is not installed.
        """
        self._optuna = _import_optuna()
        self._plan, self._folder, self._objective = plan, folder, objective
        folder.processes.mkdir(exist_ok=True)
        self._process = uuid.uuid4().hex
        self._alive = filelock.FileLock(folder.processes / self._process)
        self._alive.acquire()
        self._trials: dict[int, Any] = {}
        with self._alone():
            self._study = self._open()

    def next(self) -> tuple[int, Point] | None:
        """A point whose process has died, else a new one as long as there are less than asked."""
        with self._alone():
            trials = self._study.get_trials(deepcopy=False)
            left = [trial for trial in trials if self._is_abandoned(trial)]
            if left:
                trial = self._optuna.trial.Trial(self._study, left[0]._trial_id)
            elif len(trials) < (self._plan.options.trials or 0):
                trial = self._study.ask()
            else:
                return None
            trial.set_user_attr(PROCESS, self._process)
            point = {dimension.name: _suggested(trial, dimension) for dimension in self._plan.space}
        self._trials[trial.number] = trial
        return trial.number, point

    def should_prune(self, number: int, epoch: int, value: float) -> bool:
        """Whether it is worse than the median of the others after this epoch."""
        self._trials[number].report(value, epoch - 1)  # Optuna counts from 0
        return bool(self._trials[number].should_prune())

    def finish(self, point: PointResult) -> None:
        """Tell the study the mean of the trials, or that one of them failed."""
        states = self._optuna.trial.TrialState
        statuses = {result.status for result in point.results}
        trial = self._trials.pop(point.number)
        if FAILED in statuses:
            self._study.tell(trial.number, state=states.FAIL)
        elif PRUNED in statuses:
            self._study.tell(trial.number, state=states.PRUNED)
        else:
            self._study.tell(trial.number, point.value)

    def _open(self) -> Any:
        optuna = self._optuna
        backend = optuna.storages.journal.JournalFileBackend(
            str(self._folder.journal), lock_obj=_JournalLock(self._folder.journal)
        )
        storage = optuna.storages.JournalStorage(backend)
        direction = "maximize" if self._objective.is_maximized else "minimize"
        study = optuna.create_study(
            storage=storage, study_name="sweep", direction=direction, load_if_exists=True
        )
        # Another seed for each process that joins: else it would draw what others have drawn.
        seed = self._plan.config.seed + len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        study.pruner = optuna.pruners.MedianPruner(n_warmup_steps=EPOCHS_BEFORE_PRUNING)
        return study

    def _is_abandoned(self, trial: Any) -> bool:
        """Whether the process that trains a point has ended without a word."""
        if trial.state != self._optuna.trial.TrialState.RUNNING or trial.number in self._trials:
            return False
        process = trial.user_attrs.get(PROCESS)
        return process is None or _has_ended(self._folder.processes / process)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While inside, no other process asks for points."""
        with locked(self._folder.processes / "asking", before_waiting=lambda: None):
            yield


class _JournalLock:
    """The lock of the journal: the system releases it, too, when a process is killed."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = filelock.FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        self._lock.acquire()
        _cut_half_line(self._journal)
        return True

    def release(self) -> None:
        self._lock.release()


def _cut_half_line(path: Path) -> None:
    """Remove what a process that was killed had written of its last line."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def _has_ended(lock: Path) -> bool:
    try:
        with locked(lock):
            return True
    except LockedError:
        return False


def _suggested(trial: Any, dimension: Any) -> Any:
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(dimension.name, dimension.values)
    if isinstance(dimension.low, int):
        return trial.suggest_int(dimension.name, dimension.low, dimension.high, log=dimension.log)
    return trial.suggest_float(dimension.name, dimension.low, dimension.high, log=dimension.log)


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise UserError(
            "--search tpe needs Optuna; pip install 'tf-trainer[search]' brings it"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def make_search(plan: Plan, folder: SweepFolder, objective: Objective) -> Search:
    """Where the points of a plan come from."""
    return Study(plan, folder, objective) if plan.options.search else PlannedPoints(plan.points)
