"""The data of a run: opened and checked."""

from __future__ import annotations

import dataclasses
import logging

from trainer.config.config import Config
from trainer.data.checks.audit import Audit, audit
from trainer.data.checks.unreadable import report_unreadable_images, skipped_message
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.pipeline.batches import num_batches
from trainer.data.sources import data_cache, description, open_source
from trainer.data.splits import Source, Split
from trainer.task import Task

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class RunData:
    """What a run is trained on."""

    source: Source
    audit: Audit
    """What is wrong with the whole of the data."""

    config: Config
    """The run's config; of a dry run with as many steps an epoch as the whole data make."""

    @property
    def picture_cache(self) -> JsonCache:
        """Of pictures for people, where it takes seconds to open the data: those of TFDS."""
        return data_cache(self.config) if self.source.kind == "tfds" else NO_CACHE

    def images_of(self, split: str) -> Split | None:
        """The examples of a split where they are images; None where the data are a task's own."""
        return None if self.source.own_data is not None else self.source.splits[split]


def load_data(task: Task, config: Config) -> RunData:
    """The splits of the task's data; what they are, and what is wrong with them, is logged.

    Raises:
        UserError: there are none, or an image cannot be read.
    """
    source = open_source(task, config)
    logger.info(description(source, task, config))
    if config.skip_bad_images:
        logger.info(skipped_message(source.skipped))
    with report_unreadable_images(source.image_splits):
        audited = audit(source, data_cache(config))
    for warning in audited.warnings("balanced" in (config.class_weights, config.sampling)):
        logger.warning(warning)
    data = RunData(source, audited, config)
    return _dry_run_subset(data) if config.dry_run else data


def _dry_run_subset(data: RunData) -> RunData:
    """A batch of each split."""
    source, config = data.source, data.config
    steps = config.steps_per_epoch or num_batches(source.examples["train"], config.batch_size)
    splits = {
        name: split.slice(0, min(split.examples, config.batch_size))
        for name, split in source.splits.items()
    }
    own_data = source.own_data and {
        name: found.first(splits[name].examples) for name, found in source.own_data.items()
    }
    return RunData(
        dataclasses.replace(source, splits=splits, own_data=own_data),
        data.audit,
        dataclasses.replace(config, steps_per_epoch=steps),
    )
