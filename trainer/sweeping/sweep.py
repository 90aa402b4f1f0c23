"""A sweep from its plan to its table: who trains which trial, and what becomes of it."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import logging
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer.core import signals
from trainer.core.errors import UserError
from trainer.core.locks import LockedError, locked
from trainer.core.tensorflow_import import import_tensorflow
from trainer.report.display import Table
from trainer.report.live_table import live_table
from trainer.report.result import write_json
from trainer.sweeping.folder import DONE, FAILED, SweepFolder, Trial, TrialResult, new_folder
from trainer.sweeping.plan import Plan
from trainer.sweeping.processes import WorkerProcess, cores, wait_for
from trainer.sweeping.results import (
    SHOWN_POINTS,
    Objective,
    PointResult,
    best_trial,
    failures_table,
    points_table,
)
from trainer.sweeping.scheduler import Scheduler
from trainer.sweeping.search import make_search

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.5


class Processes:
    """The processes of a sweep, and the trial that each has."""

    def __init__(self, folder: SweepFolder, on_cores: Sequence[int | None]) -> None:
        """Start one for each core; they import TensorFlow."""
        self._folder = folder
        self._workers = [WorkerProcess(folder, n, core) for n, core in enumerate(on_cores)]
        self._trials: dict[int, Trial] = {}

    def run(self, scheduler: Scheduler, report: Callable[[], None]) -> None:
        """Run the trials of a scheduler, until none is left."""
        while True:
            self._give(scheduler)
            if not self._trials:
                return
            busy = [worker for worker in self._workers if worker.number in self._trials]
            for worker in wait_for(busy, SECONDS_BETWEEN_LOOKS):
                self._listen(worker, scheduler)
                report()

    def train_best(self, trial: Trial) -> dict[str, Any]:
        """Have the first process train a trial as an ordinary run.

        Raises:
            UserError: it cannot.
        """
        worker, messages = self._workers[0], list[dict[str, Any]]()
        worker.send({"train": dataclasses.asdict(trial)})
        while not messages and not worker.has_ended:
            messages = worker.messages()
        if not messages:
            raise UserError(f"the best trial, {trial.number}, cannot be trained: {worker.end()}")
        if "error" in messages[0]:
            raise UserError(f"the best trial, {trial.number}: {messages[0]['error']}")
        return messages[0]

    def end(self, kill: bool = False) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.end(kill)

    def _give(self, scheduler: Scheduler) -> None:
        for worker in self._workers:
            if worker.number not in self._trials:
                trial = scheduler.next_trial()
                if trial is None:
                    return
                self._trials[worker.number] = trial
                worker.send({"run": dataclasses.asdict(trial)})

    def _listen(self, worker: WorkerProcess, scheduler: Scheduler) -> None:
        for message in worker.messages():
            trial = self._trials[worker.number]
            if "epoch" in message:
                worker.send({"prune": scheduler.should_prune(trial, message)})
            else:
                del self._trials[worker.number]
                scheduler.finish(TrialResult(**message["result"] | {"trial": trial}))
        if worker.has_ended:
            self._replace(worker, scheduler)

    def _replace(self, worker: WorkerProcess, scheduler: Scheduler) -> None:
        """A process that has ended in a trial is not the end of others: another takes its place."""
        how, trial = worker.end(), self._trials.pop(worker.number)
        result = TrialResult(trial=trial, status=FAILED, seconds=0, error=how)
        self._folder.write_result(result)
        scheduler.finish(result)
        at = self._workers.index(worker)
        self._workers[at] = WorkerProcess(self._folder, worker.number, worker.core)


def run_sweep(
    plan: Plan, resumed: Path | None, on_cores: Sequence[int | None] | None = None
) -> dict[str, Any]:
    """Train the trials of a plan that have no result yet; then the best as an ordinary run.

    Args:
        plan: What is varied.
        resumed: The folder of the sweep, where it is not a new one.
        on_cores: The core of each process; those that this one may use when None.

    Returns:
        The folder, the best point, its run, and how many trials ended how.

    Raises:
        UserError: what a person can fix, before anything is trained; or no trial was trained to
            its end.
        Interrupted: Ctrl-C or SIGTERM; with the command that resumes the sweep.
    """
    plan.space, plan.points  # noqa: B018 (refused before there is a folder)
    with _sweep_folder(plan, resumed) as folder, _resumable(folder):
        processes = Processes(folder, cores() if on_cores is None else on_cores)
        try:
            import_tensorflow()  # while the processes do
            from trainer.sweeping.preparation import find_objective, prepare_data

            objective = find_objective(plan, prepare_data(plan))
            scheduler = Scheduler(plan, folder, make_search(plan, folder, objective), objective)
            _log_start(plan, folder, scheduler, len(processes._workers))
            with live_table() as show:
                processes.run(scheduler, lambda: _show(scheduler, show))
            return _finish(folder, scheduler, processes)
        except BaseException:
            processes.end(kill=True)
            raise
        finally:
            processes.end()


def _finish(folder: SweepFolder, scheduler: Scheduler, processes: Processes) -> dict[str, Any]:
    scheduler.read_others()
    results, points = list(scheduler.results.values()), scheduler.ranked
    failed = failures_table(results)
    if points:
        logger.info(points_table(points[:SHOWN_POINTS], scheduler.objective))
    if failed.rows:
        logger.info(failed)
    if not points:
        raise UserError(f"no point was trained to its end; {folder.table} says why")
    best = best_trial(points[0], scheduler.objective)
    content = _train_best(folder, best, processes)
    content |= _counts(results) | {
        "folder": str(folder.path),
        "best": _best_as_json(points[0], best, scheduler.objective),
    }
    write_json(folder.path / "result.json", content)
    _log_end(folder, content, scheduler.objective)
    return content


def _train_best(folder: SweepFolder, best: TrialResult, processes: Processes) -> dict[str, Any]:
    """The best trial as an ordinary run: of folds on the data's own splits."""
    logger.info("training the best, trial %d, as an ordinary run", best.trial.number)
    with locked(folder.path / ".best.lock", before_waiting=lambda: None):  # others share it
        trained = processes.train_best(dataclasses.replace(best.trial, fold=None))
    link = folder.path / f".best-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(trained["run"], target_is_directory=True)
    link.replace(folder.best)
    return {"run": str(folder.path / trained["run"]), "metrics": trained["metrics"]}


def _best_as_json(point: PointResult, best: TrialResult, objective: Objective) -> dict[str, Any]:
    names = list(best.metrics)
    return {
        "point": point.number,
        "trial": best.trial.number,
        "options": dict(best.trial.options),
        "seed": best.trial.seed,
        "metric": objective.metric,
        "validation": {name: point.mean(name) for name in names},
        "deviation": {name: point.deviation(name) for name in names if len(point.finished) > 1},
    }


def _counts(results: Sequence[TrialResult]) -> dict[str, Any]:
    counted = collections.Counter(result.status for result in results)
    return {"trials": {status: counted[status] for status in sorted({DONE, *counted})}}


def _log_start(plan: Plan, folder: SweepFolder, scheduler: Scheduler, processes: int) -> None:
    points = plan.options.trials if plan.options.search else len(plan.points)
    per_point = len(plan.runs)
    done = f", {len(scheduler.results)} of them done" if scheduler.results else ""
    logger.info(
        "%d trials%s, %d at a time; everything is in %s",
        *((points or 0) * per_point, done, processes, folder.path),
    )


def _show(scheduler: Scheduler, show: Callable[[str, Table], None]) -> None:
    points = scheduler.ranked[:10]
    counts = _counts(list(scheduler.results.values()))["trials"]
    line = ", ".join(f"{count} {status}" for status, count in counts.items())
    show(line, points_table(points, scheduler.objective))


def _log_end(folder: SweepFolder, content: dict[str, Any], objective: Objective) -> None:
    best, test = content["best"], content["metrics"]["test"]
    options = " ".join(f"--{n.replace('_', '-')} {v}" for n, v in best["options"].items())
    logger.info(
        "best by validation %s: %s --seed %d; test %s %.4f, loss %.4f, measured of this one alone",
        *(objective.metric, options, best["seed"]),
        *(objective.metric, test[objective.metric], test["loss"]),
    )
    logger.info("next: python -m trainer.evaluate %s", shlex.quote(str(folder.best)))


@contextlib.contextmanager
def _sweep_folder(plan: Plan, resumed: Path | None) -> Iterator[SweepFolder]:
    """The folder of a sweep; a new one is removed where nothing was trained in it."""
    folder = SweepFolder(resumed or new_folder(plan.config, "sweep"))
    try:
        with _alone(folder, plan):
            write_json(folder.sweep, plan.as_json())
            yield folder
    except Exception:
        if resumed is None and not (folder.path / "trials").exists():
            shutil.rmtree(folder.path, ignore_errors=True)
        raise


@contextlib.contextmanager
def _alone(folder: SweepFolder, plan: Plan) -> Iterator[None]:
    """While inside no other process has the sweep; a search may be joined by any number."""
    if plan.options.search:
        yield
        return
    try:
        with locked(folder.lock):
            yield
    except LockedError:
        raise UserError(
            f"{folder.path}: another process runs this sweep; wait for its end. Those of a"
            " --search can be shared"
        ) from None


@contextlib.contextmanager
def _resumable(folder: SweepFolder) -> Iterator[None]:
    """When a signal ends a sweep its text says how to resume."""
    try:
        yield
    except signals.Interrupted as interrupted:
        command = f"python -m trainer.sweep --resume {shlex.quote(str(folder.path))}"
        raise interrupted.with_text(f"; resume with: {command}") from None
