"""One run, from the data to the result."""

from __future__ import annotations

import dataclasses
import shlex
from contextlib import AbstractContextManager
from typing import Any

from trainer.config import Config
from trainer.data.images import batches_in, naming_unreadable_images
from trainer.data.sources import description, open_source
from trainer.data.splits import Source
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.history import best_record
from trainer.loop.hooks import standard_hooks
from trainer.loop.initial_weights import KeptWeights
from trainer.loop.optimizers import check_optimizer
from trainer.loop.preparation import Preparation
from trainer.loop.trainer import Trainer
from trainer.loop.warming import warm_up
from trainer.report.architecture import layer_table
from trainer.report.clock import Clock
from trainer.report.progress import Display
from trainer.report.result import versions, weights_digest, write_json
from trainer.report.summaries import Summaries
from trainer.run_folder import RunFolder, new_run_folder, temporary_run_folder
from trainer.task import Task, load_class


def run(task: Task, config: Config, display: Display, clock: Clock) -> dict[str, Any]:
    """Train a task, test its best checkpoint, and write down what came out.

    A dry run does all that too, with a batch of each split and a single step, and leaves nothing.

    Returns what result.json holds.

    Raises:
        UserError: what a person can mend; of a run that has learnt nothing yet no folder is left.
    """
    trainer_class = load_class("--trainer", config.trainer, Trainer)
    check_optimizer(config)
    if config.init_from is not None:
        KeptWeights(config.init_from)  # refuses a run without any before the data are read
    with _run_folder(task, config) as folder:
        write_json(folder.config, config.as_json())
        preparation = Preparation(config, display, task.channels)
        source = _open_source(task, config, display)
        if config.dry_run:
            source, config = _a_batch_of_each_split(source, config)
        with naming_unreadable_images(source.splits.values()):
            trainer = _prepared_trainer(
                trainer_class, task, config, preparation, source, display, clock
            )
            if config.summary:
                display.table("layer", layer_table(trainer.model, preparation.below_features))
            learnt = _train_and_test(trainer, folder, display, clock)
        result = {
            "status": "done",
            **_what_was_run(config, source),
            **learnt,
            **_how_fast(preparation.extracted, clock),
            "versions": versions(),
            "config": config.as_json(),
        }
        write_json(folder.result, result)
    _close(display, result, config, str(folder.path))
    return result


def _run_folder(task: Task, config: Config) -> AbstractContextManager[RunFolder]:
    if config.dry_run:
        return temporary_run_folder()
    return new_run_folder(config.log_dir, task.name)


def _prepared_trainer(
    trainer_class: type[Trainer],
    task: Task,
    config: Config,
    preparation: Preparation,
    source: Source,
    display: Display,
    clock: Clock,
) -> Trainer:
    """A trainer before its first step, its head warmed up where the config asks for it."""
    with clock.phase("extract"):
        batches = preparation.batches(source)
        features = preparation.feature_batches(source) if config.warmup_epochs else None
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


def _train_and_test(
    trainer: Trainer, folder: RunFolder, display: Display, clock: Clock
) -> dict[str, Any]:
    checkpoints = Checkpoints(trainer, folder.checkpoints)
    with clock.phase("train"), display.bar("training", "steps") as bar:
        trainer.fit(standard_hooks(trainer, folder, checkpoints, display, bar))
    last, best = trainer.history[-1], best_record(trainer.history)
    if trainer.config.patience is not None:
        checkpoints.restore_best()  # the epochs without a better validation are given up
    digest = weights_digest(v.numpy() for v in trainer.model.trainable_variables)
    with clock.phase("evaluate"):
        checkpoints.restore_best()
        test_metrics = trainer.evaluate("test")
    Summaries(folder.path).write("test", best.step, test_metrics)
    return {
        "stopped": trainer.stopped,
        "epochs": last.epoch,
        "steps": last.step,
        "best_step": best.step,
        "metrics": {**best.metrics, "test": test_metrics},
        "weights_digest": digest,
    }


def _open_source(task: Task, config: Config, display: Display) -> Source:
    with display.bar("drawing the sample", "images") as drawing:
        source = open_source(task, config, drawing)
    display.say(description(source, task, config))
    return source


def _a_batch_of_each_split(source: Source, config: Config) -> tuple[Source, Config]:
    """The first one, and epochs as long as they are of the whole."""
    steps = config.steps_per_epoch or batches_in(source.examples["train"], config.batch_size)
    splits = {
        name: split.part(0, min(split.examples, config.batch_size))
        for name, split in source.splits.items()
    }
    source = dataclasses.replace(source, splits=splits)
    return source, dataclasses.replace(config, steps_per_epoch=steps)


def _what_was_run(config: Config, source: Source) -> dict[str, Any]:
    return {
        "task": config.task,
        "data": {
            "source": source.kind,
            "name": source.name,
            "version": source.version,
            "classes": list(source.classes),
            "examples": source.examples,
        },
        "extractor": config.extractor,
        "transfer": config.how_much_learns,
    }


def _how_fast(extracted: int, clock: Clock) -> dict[str, Any]:
    seconds = clock.seconds
    speed = round(extracted / seconds["extract"], 1) if extracted else None
    return {"seconds": seconds, "extract_images_per_second": speed}


def _close(display: Display, result: dict[str, Any], config: Config, folder: str) -> None:
    """A table of the three splits, and what to type next."""
    if config.dry_run:
        display.say(
            "dry run: all is built, one step and a batch each of validation and test were run in"
            f" {result['seconds']['total']:.1f} s; no run is left behind"
        )
        return
    if result["stopped"]:
        display.say(
            f"stopped by {result['stopped']} in epoch {result['epochs']}, at step {result['steps']}"
        )
    reported = result["metrics"]["test"]
    rows = {
        split: {"images": f"{result['data']['examples'][split]:,}"}
        | {name: f"{value:.4f}" for name, value in metrics.items() if name in reported}
        for split, metrics in result["metrics"].items()
    }
    display.table("split", rows)
    display.say(
        f"at the best checkpoint, step {result['best_step']} of {result['steps']};"
        f" {result['seconds']['total']:.1f} s in all; everything is in {folder}"
    )
    display.say(f"next: tensorboard --host localhost --logdir {shlex.quote(str(config.log_dir))}")
