"""One run, from the data to the result."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from typing import Any

from trainer.cache_folder import DATASETS
from trainer.config import Config
from trainer.data.audit import Audit, audit
from trainer.data.images import batches_in, naming_unreadable_images
from trainer.data.sources import description, open_source
from trainer.data.splits import Source
from trainer.data.unreadable import how_many_skipped, skipped_images
from trainer.loop.checkpoints import Checkpoint, clear_remains, newest_checkpoint
from trainer.loop.circumstances import circumstances
from trainer.loop.ending import (
    naming_what_fails,
    telling_how_to_go_on,
    telling_what_is_kept,
)
from trainer.loop.initial_weights import KeptWeights
from trainer.loop.learning import train_and_test
from trainer.loop.optimizers import check_optimizer
from trainer.loop.preparation import Preparation
from trainer.loop.trainer import Trainer
from trainer.loop.training_state import TrainingState
from trainer.loop.warming import warm_up
from trainer.report.architecture import layer_table
from trainer.report.clock import Clock
from trainer.report.outcome import close, how_fast, what_was_run
from trainer.report.progress import Display
from trainer.report.result import versions, write_json
from trainer.run_folder import (
    RunFolder,
    existing_run_folder,
    new_run_folder,
    temporary_run_folder,
)
from trainer.task import Task, load_class


def run(task: Task, config: Config, display: Display, clock: Clock) -> dict[str, Any]:
    """Train a task, test its best checkpoint, and write down what came out.

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
        KeptWeights(config.init_from, say=lambda _: None)
    with (
        _run_folder(task, config) as folder,
        telling_how_to_go_on(folder, config),
        naming_what_fails(folder),
    ):
        result = _run_in(folder, trainer_class, task, config, display, clock)
    close(display, result, config, folder.path)
    return result


def _run_in(
    folder: RunFolder,
    trainer_class: type[Trainer],
    task: Task,
    config: Config,
    display: Display,
    clock: Clock,
) -> dict[str, Any]:
    clear_remains(folder.checkpoints)
    checkpoint = newest_checkpoint(folder.checkpoints, display.say)
    if config.resume is None:
        write_json(folder.config, config.as_json())
    preparation = Preparation(config, display, task.channels)
    source = _open_source(task, config, display)
    audited = _audited(source, config, display)
    if config.dry_run:
        source, config = _a_batch_of_each_split(source, config)
    with naming_unreadable_images(source.splits.values()):
        is_new = checkpoint is None
        trainer = _prepared_trainer(
            trainer_class, task, config, preparation, source, display, clock, is_new
        )
    if config.summary:
        display.table("layer", layer_table(trainer.model, preparation.below_features))
    state = TrainingState(trainer, folder, clock, circumstances(source))
    _begin(state, checkpoint, folder, config, display)
    with telling_what_is_kept(state, folder), naming_unreadable_images(source.splits.values()):
        learnt = train_and_test(trainer, state, folder, display, clock)
        result = {
            "status": "done",
            **what_was_run(config, source),
            "data_warnings": audited.as_json(),
            **({"skipped_images": skipped_images(source)} if config.skip_bad_images else {}),
            **learnt,
            **how_fast(preparation.extracted, clock),
            "versions": versions(),
            "config": config.as_json(),
        }
        write_json(folder.result, result)
    return result


def _run_folder(task: Task, config: Config) -> AbstractContextManager[RunFolder]:
    if config.dry_run:
        return temporary_run_folder()
    if config.resume is not None:
        return existing_run_folder(config.resume)
    return new_run_folder(config.log_dir, task.name)


def _begin(
    state: TrainingState,
    checkpoint: Checkpoint | None,
    folder: RunFolder,
    config: Config,
    display: Display,
) -> None:
    """Make a run's folder ready for the steps from the present one on."""
    if checkpoint is not None:
        for difference in state.restore(checkpoint):
            display.say(difference)
        display.say(f"going on from {checkpoint.path}")
    state.forget_what_came_after(checkpoint)
    write_json(folder.config, config.as_json())


def _prepared_trainer(
    trainer_class: type[Trainer],
    task: Task,
    config: Config,
    preparation: Preparation,
    source: Source,
    display: Display,
    clock: Clock,
    is_new: bool,
) -> Trainer:
    """A trainer before its first step, a new one's head warmed up where the config asks for it."""
    warms_up = is_new and config.warmup_epochs
    with clock.phase("extract"):
        batches = preparation.batches(source)
        features = preparation.feature_batches(source) if warms_up else None
    trainer = trainer_class(
        task, _of_learning(config), source.classes, batches, display.say, preparation.layer
    )
    if features is not None:
        with clock.phase("train"):
            warm_up(trainer, config, features, display)
    return trainer


def _of_learning(config: Config) -> Config:
    """The config with the step size that fine-tuning has."""
    if config.how_much_learns != "finetune":
        return config
    return dataclasses.replace(config, learning_rate=config.finetune_learning_rate)


def _open_source(task: Task, config: Config, display: Display) -> Source:
    with (
        display.bar("drawing the sample", "images") as drawing,
        display.bar("checking images", "images") as checking,
    ):
        source = open_source(task, config, drawing, checking)
    display.say(description(source, task, config))
    if config.skip_bad_images:
        display.say(how_many_skipped(source.skipped))
    return source


def _audited(source: Source, config: Config, display: Display) -> Audit:
    """The data looked through, and what is wrong with them told in a line each."""
    looking = display.bar("looking for duplicates", "images")
    with naming_unreadable_images(source.splits.values()), looking as bar:
        audited = audit(source, config.cache_folder / DATASETS, bar)
    for warning in audited.warnings(config.class_weights):
        display.say(warning)
    return audited


def _a_batch_of_each_split(source: Source, config: Config) -> tuple[Source, Config]:
    """The first one, and epochs as long as they are of the whole."""
    steps = config.steps_per_epoch or batches_in(source.examples["train"], config.batch_size)
    splits = {
        name: split.part(0, min(split.examples, config.batch_size))
        for name, split in source.splits.items()
    }
    source = dataclasses.replace(source, splits=splits)
    return source, dataclasses.replace(config, steps_per_epoch=steps)
