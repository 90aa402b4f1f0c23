"""One run, from the data to the result."""

from __future__ import annotations

import shlex
from typing import Any

from trainer.config import Config
from trainer.data.images import naming_unreadable_images
from trainer.data.sources import description, open_source
from trainer.data.splits import Source
from trainer.extractors import NO_EXTRACTOR
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.history import best_record
from trainer.loop.hooks import standard_hooks
from trainer.loop.preparation import Preparation
from trainer.loop.trainer import Trainer
from trainer.report.clock import Clock
from trainer.report.progress import Display
from trainer.report.result import versions, weights_digest, write_json
from trainer.report.summaries import Summaries
from trainer.run_folder import RunFolder, new_run_folder
from trainer.task import Task, load_class


def run(task: Task, config: Config, display: Display, clock: Clock) -> dict[str, Any]:
    """Train a task, test its best checkpoint, and write down what came out.

    Returns what result.json holds.

    Raises:
        UserError: what a person can mend; of a run that has learnt nothing yet no folder is left.
    """
    trainer_class = load_class("--trainer", config.trainer, Trainer)
    with new_run_folder(config.log_dir, task.name) as folder:
        write_json(folder.config, config.as_json())
        preparation = Preparation(config, display)
        source = _open_source(task, config, display)
        with naming_unreadable_images(source.splits.values()):
            with clock.phase("extract"):
                batches = preparation.batches(source)
            trainer = trainer_class(task, config, source.classes, batches, display.say)
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


def _train_and_test(
    trainer: Trainer, folder: RunFolder, display: Display, clock: Clock
) -> dict[str, Any]:
    checkpoints = Checkpoints(trainer, folder.checkpoints)
    with clock.phase("train"), display.bar("training", "steps") as bar:
        trainer.fit(standard_hooks(trainer, folder, checkpoints, display, bar))
    last, best = trainer.history[-1], best_record(trainer.history)
    digest = weights_digest(v.numpy() for v in trainer.model.trainable_variables)
    with clock.phase("evaluate"):
        checkpoints.restore_best()
        test_metrics = trainer.evaluate("test")
    Summaries(folder.path).write("test", best.step, test_metrics)
    return {
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
        "transfer": "scratch" if config.extractor == NO_EXTRACTOR else "frozen",
    }


def _how_fast(extracted: int, clock: Clock) -> dict[str, Any]:
    seconds = clock.seconds
    speed = round(extracted / seconds["extract"], 1) if extracted else None
    return {"seconds": seconds, "extract_images_per_second": speed}


def _close(display: Display, result: dict[str, Any], config: Config, folder: str) -> None:
    """A table of the three splits, and what to type next."""
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
