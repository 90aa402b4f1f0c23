"""The data of a run: opened, looked through, and told of."""

from __future__ import annotations

import dataclasses

from trainer.config.config import Config
from trainer.core.cache_folder import DATASETS
from trainer.data.checks.audit import Audit, audit
from trainer.data.checks.unreadable import skipped_message
from trainer.data.pipeline.batches import num_batches, report_unreadable_images
from trainer.data.sources import description, open_source
from trainer.data.splits import Source
from trainer.report.progress import Display
from trainer.task import Task


def load_data(task: Task, config: Config, display: Display) -> Source:
    """The splits of the task's data; what they are is told in a line.

    Raises:
        UserError: there are none, or none that can be read.
    """
    with display.bar("checking images", "images") as checking:
        source = open_source(task, config, checking)
    display.say(description(source, task, config))
    if config.skip_bad_images:
        display.say(skipped_message(source.skipped))
    return source


def audit_data(source: Source, config: Config, display: Display) -> Audit:
    """The data looked through, and what is wrong with them told in a line each.

    Raises:
        UserError: an image cannot be read.
    """
    looking = display.bar("looking for duplicates", "images")
    with report_unreadable_images(source.splits.values()), looking as bar:
        audited = audit(source, config.cache_folder / DATASETS, bar)
    for warning in audited.warnings(config.class_weights):
        display.say(warning)
    return audited


def dry_run_subset(source: Source, config: Config) -> tuple[Source, Config]:
    """The first one, and epochs as long as they are of the whole: what a dry run needs."""
    steps = config.steps_per_epoch or num_batches(source.examples["train"], config.batch_size)
    splits = {
        name: split.part(0, min(split.examples, config.batch_size))
        for name, split in source.splits.items()
    }
    source = dataclasses.replace(source, splits=splits)
    return source, dataclasses.replace(config, steps_per_epoch=steps)
