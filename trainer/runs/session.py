"""One run in its folder: data, batches, trainer, training, test, result."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.checkpoints.checkpointer import make_checkpointer
from trainer.checkpoints.environment import environment
from trainer.checkpoints.store import Checkpoint, newest_checkpoint
from trainer.checkpoints.training_state import TrainingState
from trainer.checkpoints.warm_start import CheckpointReader, warm_start
from trainer.config.config import Config
from trainer.core import atomic, signals
from trainer.core.errors import UserError
from trainer.core.progress import progress_bar
from trainer.core.run_folder import (
    RunFolder,
    temporary_run_folder,
)
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.distribution.strategy import make_strategy
from trainer.distribution.variables import variables_of
from trainer.distribution.workers import Workers
from trainer.hooks.standard import standard_hooks
from trainer.loop.history import best_record
from trainer.loop.trainer import Hook, Trainer
from trainer.optimization.losses import check_label_options
from trainer.optimization.optimizers import optimizer_class
from trainer.remote.runs import local_run, new_run, resumed_run
from trainer.report.clock import Clock
from trainer.report.display import Table
from trainer.report.layer_table import layer_table
from trainer.report.result import weights_digest, write_json
from trainer.report.summaries import Summaries
from trainer.results.evaluation import evaluate_splits
from trainer.results.outcome import Outcome
from trainer.runs.failures import (
    as_user_errors,
    report_last_checkpoint,
    report_lost_worker,
    report_resume_command,
)
from trainer.runs.head_warmup import warm_up_head
from trainer.runs.one_device import on_one_device
from trainer.runs.presentation import Presentation
from trainer.runs.result import log_summary, make_result
from trainer.setup.batches import BatchFactory
from trainer.setup.data import RunData, load_data
from trainer.task import Task

logger = logging.getLogger(__name__)


@dataclasses.dataclass
class Session:
    """What the parts of a run need, while it is under way."""

    folder: RunFolder
    """Where this process writes: of a worker that is not the chief one that is removed."""

    run_path: Path
    """The run's folder, which the chief writes."""

    strategy: tf.distribute.Strategy
    workers: Workers
    task: Task
    config: Config
    trainer_class: type[Trainer]
    hooks: Sequence[Hook]
    clock: Clock
    warm_start: CheckpointReader | None
    """The weights of the run that `--init-from` names."""

    def run(self) -> tuple[Trainer, dict[str, Any]]:
        """Prepare, train and test; returns the trainer and what result.json holds."""
        checkpoint = self._newest_checkpoint()
        factory = BatchFactory(self.config, self.task.channels, self.workers)
        data = load_data(self.task, self.config)
        self.config = data.config
        with report_unreadable_images(data.source.image_splits):
            trainer = self._build_trainer(factory, data, is_new=checkpoint is None)
        if self.config.summary:
            logger.info(Table("layer", layer_table(trainer.model, factory.below_features)))
        replicas = self.strategy.num_replicas_in_sync
        state = TrainingState(trainer, self.folder, self.clock, environment(data.source, replicas))
        speed = factory.images_per_second(self.clock)
        trainer.summaries = summaries = Summaries(self.folder.path)
        shown = Presentation(self.folder, self.config, data, factory, trainer, summaries)
        with (
            report_last_checkpoint(state, RunFolder(self.run_path), self.config),
            report_unreadable_images(data.source.image_splits),
        ):
            with self.clock.phase("train"), progress_bar("training", "steps") as report:
                hooks = standard_hooks(
                    trainer, state.best, self.folder, summaries, self.clock, report
                )
                state.hooks = [*hooks, *self.hooks]
                self._restore(state, checkpoint)
                if checkpoint is None and self.workers.is_chief:
                    shown.describe()
                self._train(trainer, state)
            trainer = on_one_device(trainer, state, data.source)
            outcome = self._evaluate(trainer, state)
            with self.clock.phase("report"):
                result = make_result(self.config, data, outcome, self.clock, speed)
                if self.workers.is_chief:
                    shown = dataclasses.replace(shown, trainer=trainer)
                    shown.report(outcome, result, self.task.defaults)
            result["seconds"] = self.clock.seconds
            write_json(self.folder.result, result)
        return trainer, result

    def _newest_checkpoint(self) -> Checkpoint | None:
        """Where a run resumes; the folder of a new one gets its config before it has any."""
        if self.config.resume is None:
            write_json(self.folder.config, self.config.as_json())
        checkpoints = RunFolder(self.run_path).checkpoints
        if self.workers.is_chief:
            atomic.remove_leftovers(checkpoints)
        return newest_checkpoint(checkpoints) if self.config.resume else None

    def _build_trainer(self, factory: BatchFactory, data: RunData, is_new: bool) -> Trainer:
        """A trainer before its first step; the head of a new one is warmed up, if asked for."""
        with self.clock.phase("extract"):
            batches = factory.batches(data.source)
            warms_up = is_new and self.config.head_epochs
            features = factory.head_batches(data.source) if warms_up else None
        with variables_of(self.strategy):
            trainer = self.trainer_class(
                self.task,
                self.config,
                data.source.classes,
                batches,
                factory.layer,
                self._warm_start,
            )
        if features is not None:
            with self.clock.phase("train"):
                warm_up_head(trainer, features)
        return trainer

    def _warm_start(self, model: keras.Model) -> None:
        if self.warm_start is not None:
            warm_start(model, self.warm_start, self.task.freeze_on_init)

    def _restore(self, state: TrainingState, checkpoint: Checkpoint | None) -> None:
        """Go back to a checkpoint, and cut what was written after it."""
        if checkpoint is not None:
            state.restore(checkpoint)
            logger.info("resuming from %s", checkpoint.path)
        step = checkpoint.training["step"] if checkpoint else 0
        if self.workers.any(self.workers.as_chief(step) != step):
            raise UserError(
                f"{self.run_path}: the workers do not find the same checkpoint there; choose a"
                " --log-dir that they share"
            )
        state.truncate_events(checkpoint)
        write_json(self.folder.config, self.config.as_json())

    def _train(self, trainer: Trainer, state: TrainingState) -> None:
        """Up to the last step; when a signal ends it before, the state of training is saved."""
        try:
            with signals.defer_signals():
                trainer.fit(state.hooks, make_checkpointer(state, trainer))
        except signals.Interrupted as interrupted:
            state.save()
            where = f" at step {trainer.step} of {trainer.total_steps}"
            raise interrupted.with_text(where) from None

    def _evaluate(self, trainer: Trainer, state: TrainingState) -> Outcome:
        """Measure the best weights, which the model has then, on every split."""
        best = best_record(trainer.history, self.task.best)
        if self.config.patience is not None:
            state.best.restore()  # the final weights are then the best
        digest = weights_digest(v.numpy() for v in trainer.model.trainable_variables)
        with self.clock.phase("evaluate"):
            state.best.restore()
            evaluated = evaluate_splits(trainer)
        trainer.write_scalars(evaluated.metrics["test"], "test", best.step)
        return Outcome(trainer.stopped, trainer.history, best.step, evaluated, digest)


def train_in_folder(
    task: Task,
    config: Config,
    trainer_class: type[Trainer],
    hooks: Sequence[Hook],
    clock: Clock,
) -> tuple[RunFolder, Trainer, dict[str, Any]]:
    """Train and test in a new run folder, or in that of the run to resume.

    A dry run does all of it too, with a batch of each split and a single step, in a folder that is
    removed.

    Returns:
        The folder, the trainer, whose model has the best weights, and the content of result.json.

    Raises:
        UserError: what a person can fix; of a run that has learned nothing yet no folder is left.
        Interrupted: Ctrl-C or SIGTERM; with the command that resumes the run.
    """
    optimizer_class(config)  # an unknown one is refused before the data are read
    check_label_options(task, config)
    strategy = make_strategy(config.strategy, config.devices)  # before TensorFlow computes anything
    workers = Workers(strategy)
    source = None if config.init_from is None else local_run(config.init_from, config.cache_folder)
    reader = None if source is None else CheckpointReader(source)
    with workers.shown_by_chief(), _run_folder(task, config, workers) as folder:
        run = RunFolder(config.resume or Path(workers.text_of_chief(str(folder.path))))
        with (
            report_resume_command(run, config),
            as_user_errors(run),
            report_lost_worker(run, config, workers),
        ):
            session = Session(
                folder,
                run.path,
                strategy,
                workers,
                task,
                config,
                trainer_class,
                hooks,
                clock,
                reader,
            )
            trainer, result = session.run()
        log_summary(result, config, run.path)
    return run, trainer, result


def _run_folder(task: Task, config: Config, workers: Workers) -> AbstractContextManager[RunFolder]:
    if config.dry_run or not workers.is_chief:
        return temporary_run_folder()
    if config.resume is not None:
        return resumed_run(config.resume, config.cache_folder)
    return new_run(config.log_dir, task.name, config.run_name, config.cache_folder)
