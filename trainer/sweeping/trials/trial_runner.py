"""Runs trials one after another in this process, which keeps what they share."""

from __future__ import annotations

import collections
import dataclasses
import gc
import time
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import keras

from trainer.checkpoints.best_weights import BestWeights
from trainer.config.config import Config
from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder
from trainer.core.text import first_line
from trainer.hooks.standard import control_hooks
from trainer.hooks.terminate_on_nan import TerminateOnNaN
from trainer.hooks.track_best import TrackBest
from trainer.loop.history import EpochRecord, best_record, parse_best
from trainer.loop.trainer import Hook, Trainer
from trainer.optimization.losses import check_label_options
from trainer.report.clock import Clock
from trainer.report.result import weights_digest
from trainer.report.summaries import Summaries
from trainer.runs.run import train
from trainer.setup.plugins import find_task, load_hooks, load_trainer_class
from trainer.sweeping.folder import DONE, FAILED, PRUNED, SweepFolder, Trial, TrialResult
from trainer.sweeping.plan import Plan
from trainer.sweeping.trials.program import Program, program_key
from trainer.sweeping.trials.trial_data import TrialData, data_key

Value = TypeVar("Value")

MAX_PROGRAMS = 16
"""Compiled programs that are kept, those that were used last; each takes tens of megabytes."""

MAX_DATA = 2
"""Sets of arrays that are kept."""

AskPruner = Callable[[int, float], bool]
"""Of an epoch and the metric of its validation whether the trial is to end."""


class TrialRunner:
    """Runs the trials of a sweep.

    ```python
    runner = TrialRunner(plan, folder)
    result = runner.run(trial)
    ```
    """

    def __init__(self, plan: Plan, folder: SweepFolder) -> None:
        """Nothing is read before the first trial."""
        self._plan, self._folder = plan, folder
        self._data = _Kept[TrialData](MAX_DATA)
        self._programs = _Kept[Program](MAX_PROGRAMS)
        self.built = 0
        """How many programs were traced and compiled."""

    def run(self, trial: Trial, ask_pruner: AskPruner | None = None) -> TrialResult:
        """Train one trial, and keep its result in the sweep's folder.

        An exception is a result, too: whatever is wrong with one trial is not the end of others.
        """
        began = time.perf_counter()
        try:
            result = self._run(trial, ask_pruner)
        except Exception as error:
            text = "" if isinstance(error, UserError) else traceback.format_exc()
            line = first_line(error)
            if not isinstance(error, UserError):
                line = f"{type(error).__name__}: {line}"
            result = TrialResult(trial=trial, status=FAILED, seconds=0, error=line, traceback=text)
        result = dataclasses.replace(result, seconds=round(time.perf_counter() - began, 3))
        self._folder.write_result(result)
        return result

    def train_best(self, trial: Trial) -> dict[str, Any]:
        """Train a trial as an ordinary run, with its checkpoints, report and test metrics.

        A run of it that was interrupted is resumed; of one that is finished nothing is done again.

        Returns:
            The run's folder, relative to that of the sweep, and its metrics by split.
        """
        task, config = find_task(self._plan.config.task), self._plan.trial_config(trial)
        config = run_config(self._folder, config, trial)
        folder = config.log_dir / task.name / str(config.run_name)
        if RunFolder(folder).config.exists():
            config = dataclasses.replace(config, resume=folder)
        elif folder.exists():
            atomic.remove_folder(folder)  # it was ended before it had learned anything
        run = train(task, config)
        return {"run": str(folder.relative_to(self._folder.path)), "metrics": run.metrics}

    def _run(self, trial: Trial, ask_pruner: AskPruner | None) -> TrialResult:
        config = self._plan.trial_config(trial)
        check_label_options(find_task(config.task), config)
        data = self._trial_data(config)
        hooks: list[Hook] = [] if ask_pruner is None else [Prune(ask_pruner)]
        if not data.is_in_memory or config.init_from is not None:
            return self._ordinary_run(trial, config, hooks)
        return self._run_in_memory(trial, config, data, hooks)

    def _trial_data(self, config: Config) -> TrialData:
        task = find_task(config.task)
        folds, seed = self._plan.options.folds, self._plan.config.seed
        return self._data.get(data_key(config), lambda: TrialData(task, config, folds, seed))

    def _ordinary_run(self, trial: Trial, config: Config, hooks: list[Hook]) -> TrialResult:
        """A trial that shares nothing: a run in a folder of its own, within that of the sweep."""
        config = run_config(self._folder, config, trial)
        folder = config.log_dir / find_task(config.task).name / str(config.run_name)
        if folder.exists():  # of a process that was killed
            atomic.remove_folder(folder)
        result = train(find_task(config.task), config, hooks=hooks)
        keras.backend.clear_session(free_memory=False)
        gc.collect()
        content, metrics = result.result, result.metrics["validation"]
        return TrialResult(
            trial=trial,
            status=_status(content["stopped"]),
            seconds=0,
            metrics=metrics,
            value=metrics[parse_best(result.task.best, metrics)[1]],
            epochs=content["epochs"],
            best_step=content["best_step"],
            stopped=content["stopped"],
            weights_digest=content["weights_digest"],
            run=str(result.folder.relative_to(self._folder.path)),
        )

    def _run_in_memory(
        self, trial: Trial, config: Config, data: TrialData, hooks: list[Hook]
    ) -> TrialResult:
        trainer = self._trainer(trial, config, data)
        best = BestWeights(trainer.model)
        standard = [TerminateOnNaN(), TrackBest(best), *control_hooks(trainer, Clock())]
        trainer.fit([*standard, *hooks, *load_hooks(config.hook)])
        if config.patience is not None:
            best.restore()  # the final weights are then the best
        record = best_record(trainer.history, trainer.task.best)
        metrics = record.metrics["validation"]
        self._write_curves(trial, trainer)
        return TrialResult(
            trial=trial,
            status=_status(trainer.stopped),
            seconds=0,
            metrics=dict(metrics),
            value=metrics[parse_best(trainer.task.best, metrics)[1]],
            epochs=trainer.history[-1].epoch,
            best_step=record.step,
            stopped=trainer.stopped,
            weights_digest=weights_digest(v.numpy() for v in trainer.model.trainable_variables),
        )

    def _trainer(self, trial: Trial, config: Config, data: TrialData) -> Trainer:
        """At its first step, of a program that earlier trials have compiled if there is one."""
        trainer_class = load_trainer_class(config.trainer)
        batches = data.batches(config, trial.fold)
        # Names of layers would grow with every model, and Keras' table of them too.
        keras.backend.clear_session(free_memory=False)
        fresh = trainer_class(find_task(config.task), config, data.classes, batches)
        key = program_key(fresh)
        if key is None:
            gc.collect()  # the graphs of the trial before, which refer to each other
            return fresh
        key += data_key(config)  # arrays and the weights of classes are constants of the program
        key += f" {trial.fold if config.class_weights != 'none' else ''}"
        if (known := self._programs.find(key)) is not None and known.is_shared:
            known.start(fresh)
            return known.trainer if known.computes_as(fresh) else fresh
        self.built += 1
        return self._programs.put(key, Program(fresh)).trainer

    def _write_curves(self, trial: Trial, trainer: Trainer) -> None:
        """For TensorBoard: the options in its table of runs, and the metrics of every epoch."""
        folder = self._folder.trial(trial.number)
        summaries = Summaries(folder)
        cells = {name: _as_cell(value) for name, value in trial.options.items()}
        cells |= {"seed": trial.seed} | ({} if trial.fold is None else {"fold": trial.fold})
        names = list(trainer.history[-1].metrics["validation"])
        summaries.write_options(cells, names)
        for record in trainer.history:
            for split, metrics in record.metrics.items():
                summaries.write(split, record.step, metrics)
        summaries.flush()


class Prune(Hook):
    """Ends a trial that is worse than those before it, after an epoch."""

    def __init__(self, ask: AskPruner) -> None:
        """Ask after every epoch."""
        self._ask = ask

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Stop if the answer is yes."""
        validation = record.metrics["validation"]
        if self._ask(record.epoch, validation[parse_best(trainer.task.best, validation)[1]]):
            trainer.stop(PRUNE)


PRUNE = "--prune"
"""Why a trial that is pruned has stopped."""


def run_config(folder: SweepFolder, config: Config, trial: Trial) -> Config:
    """The config with which a trial is an ordinary run, in a folder within that of the sweep."""
    return dataclasses.replace(config, log_dir=folder.path, run_name=f"trial-{trial.number}")


class _Kept(Generic[Value]):
    """The few things that were used last, by their keys."""

    def __init__(self, most: int) -> None:
        self._most, self._values = most, collections.OrderedDict[str, Value]()

    def find(self, key: str) -> Value | None:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def get(self, key: str, make: Callable[[], Value]) -> Value:
        """What is kept under a key, made if nothing is."""
        found = self.find(key)
        return self.put(key, make()) if found is None else found

    def put(self, key: str, value: Value) -> Value:
        self._values[key] = value
        while len(self._values) > self._most:
            self._values.popitem(last=False)
            gc.collect()  # graphs refer to each other
        return value


def _status(stopped: str | None) -> str:
    return PRUNED if stopped == PRUNE else DONE


def _as_cell(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)
