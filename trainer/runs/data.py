"""The data of a run: opened, audited, and described on the terminal."""

from __future__ import annotations

import dataclasses

from trainer.config.config import Config
from trainer.core.progress import shown_by
from trainer.data.checks.audit import Audit, audit
from trainer.data.checks.unreadable import report_unreadable_images, skipped_message
from trainer.data.pipeline.batches import num_batches
from trainer.data.sources import data_cache, description, open_source
from trainer.data.splits import Source
from trainer.report.progress import Display
from trainer.task import Task


def load_data(task: Task, config: Config, display: Display) -> Source:
    """The splits of the task's data, described in a line on the terminal.

    Raises:
        UserError: there are none, or none that can be read.
    """
    with shown_by(display.bar):
        source = open_source(task, config)
    display.say(description(source, task, config))
    if config.skip_bad_images:
        display.say(skipped_message(source.skipped))
    return source


def audit_data(source: Source, config: Config, display: Display) -> Audit:
    """The audit of the data, its warnings on the terminal.

    Raises:
        UserError: an image cannot be read.
    """
    with report_unreadable_images(source.splits.values()), shown_by(display.bar):
        audited = audit(source, data_cache(config))
    for warning in audited.warnings(config.class_weights):
        display.say(f"warning: {warning}")
    return audited


def dry_run_subset(source: Source, config: Config) -> tuple[Source, Config]:
    """A batch of each split, and a config whose epochs are as long as those of the whole data."""
    steps = config.steps_per_epoch or num_batches(source.examples["train"], config.batch_size)
    splits = {
        name: split.slice(0, min(split.examples, config.batch_size))
        for name, split in source.splits.items()
    }
    source = dataclasses.replace(source, splits=splits)
    return source, dataclasses.replace(config, steps_per_epoch=steps)
