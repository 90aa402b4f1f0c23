"""One run, from the data to the result."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from typing import Any

from trainer.checkpoints.environment import circumstances
from trainer.checkpoints.store import Checkpoint, clear_remains, newest_checkpoint
from trainer.checkpoints.training_state import TrainingState
from trainer.checkpoints.warm_start import CheckpointReader
from trainer.config.config import Config
from trainer.core.run_folder import (
    RunFolder,
    existing_run_folder,
    new_run_folder,
    temporary_run_folder,
)
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.data.splits import Source
from trainer.loop.trainer import Trainer
from trainer.optimization.optimizers import check_optimizer
from trainer.report.clock import Clock
from trainer.report.layer_table import layer_table
from trainer.report.progress import Display
from trainer.report.result import versions, write_json
from trainer.runs.batches import BatchFactory
from trainer.runs.data import audit_data, dry_run_subset, load_data
from trainer.runs.failures import (
    as_user_errors,
    report_last_checkpoint,
    report_resume_command,
)
from trainer.runs.head_warmup import warm_up
from trainer.runs.learning import train_and_test
from trainer.runs.outcome import close, extraction_speed, run_metadata, what_is_wrong
from trainer.task import Task, load_class


def run(task: Task, config: Config, display: Display, clock: Clock) -> dict[str, Any]:
    """Train a task, test its best weights, and write down what came out.

    A run that is resumed goes on from its newest checkpoint. A dry run does all that too, with a
    batch of each split and a single step, and leaves nothing.

    Returns what result.json holds.

    Raises:
        UserError: what a person can mend; of a run that has learnt nothing yet no folder is left.
        Interrupted: Ctrl-C or SIGTERM; what to type to go on is told with it.
    """
    trainer_class = load_class("--trainer", config.trainer, Trainer)
    check_optimizer(config)
    if config.init_from is not None:
        # Refuses a run without any before the data are read.
        CheckpointReader(config.init_from, say=lambda _: None)
    with (
        _run_folder(task, config) as folder,
        report_resume_command(folder, config),
        as_user_errors(folder),
    ):
        result = _Run(folder, task, trainer_class, config, display, clock).result()
    close(display, result, config, folder.path)
    return result


@dataclasses.dataclass
class _Run:
    """A run in its folder: what all of its parts need."""

    folder: RunFolder
    task: Task
    trainer_class: type[Trainer]
    config: Config
    display: Display
    clock: Clock

    def result(self) -> dict[str, Any]:
        """Prepare, train and test: what result.json holds."""
        checkpoint = self._newest_checkpoint()
        preparation = BatchFactory(self.config, self.display, self.task.channels)
        source = load_data(self.task, self.config, self.display)
        audited = audit_data(source, self.config, self.display)
        if self.config.dry_run:
            source, self.config = dry_run_subset(source, self.config)
        splits = source.splits.values()
        with report_unreadable_images(splits):
            trainer = self._trainer(preparation, source, is_new=checkpoint is None)
        speed = extraction_speed(preparation.extracted, self.clock)
        if self.config.summary:
            self.display.table("layer", layer_table(trainer.model, preparation.below_features))
        state = TrainingState(trainer, self.folder, self.clock, circumstances(source))
        self._begin(state, checkpoint)
        with report_last_checkpoint(state, self.folder), report_unreadable_images(splits):
            learnt = train_and_test(trainer, state, self.folder, self.display, self.clock)
            result = {
                "status": "done",
                **run_metadata(self.config, source),
                **what_is_wrong(audited, source, self.config),
                **learnt,
                "seconds": self.clock.seconds,
                "extract_images_per_second": speed,
                "versions": versions(),
                "config": self.config.as_json(),
            }
            write_json(self.folder.result, result)
        return result

    def _newest_checkpoint(self) -> Checkpoint | None:
        """Where a run goes on; a new one tells its config before it has any."""
        if self.config.resume is None:
            write_json(self.folder.config, self.config.as_json())
        clear_remains(self.folder.checkpoints)
        return newest_checkpoint(self.folder.checkpoints, self.display.say)

    def _trainer(self, preparation: BatchFactory, source: Source, is_new: bool) -> Trainer:
        """One before its first step; the head of a new one warmed up, where that is asked for."""
        with self.clock.phase("extract"):
            batches = preparation.batches(source)
            warms_up = is_new and self.config.warmup_epochs
            features = preparation.feature_batches(source) if warms_up else None
        config = _of_learning(self.config)
        trainer = self.trainer_class(
            self.task, config, source.classes, batches, self.display.say, preparation.layer
        )
        if features is not None:
            with self.clock.phase("train"):
                warm_up(trainer, self.config, features, self.display)
        return trainer

    def _begin(self, state: TrainingState, checkpoint: Checkpoint | None) -> None:
        """Make the folder ready for the steps from the present one on."""
        if checkpoint is not None:
            for difference in state.restore(checkpoint):
                self.display.say(difference)
            self.display.say(f"going on from {checkpoint.path}")
        state.truncate_events(checkpoint)
        write_json(self.folder.config, self.config.as_json())


def _run_folder(task: Task, config: Config) -> AbstractContextManager[RunFolder]:
    if config.dry_run:
        return temporary_run_folder()
    if config.resume is not None:
        return existing_run_folder(config.resume)
    return new_run_folder(config.log_dir, task.name)


def _of_learning(config: Config) -> Config:
    """The config with the step size that fine-tuning has."""
    if config.transfer_mode != "finetune":
        return config
    return dataclasses.replace(config, learning_rate=config.finetune_learning_rate)
