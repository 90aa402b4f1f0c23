"""What a run ended with, for result.json and for people."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.config.config import Config
from trainer.core.addresses import address_of
from trainer.data.checks.unreadable import skipped_images
from trainer.data.labels import names_as_json
from trainer.machine.packages import versions
from trainer.remote.runs import shown_run
from trainer.report.clock import Clock
from trainer.report.result import metrics_table
from trainer.results.outcome import Outcome
from trainer.setup.data import RunData

logger = logging.getLogger(__name__)


def make_result(
    config: Config, data: RunData, outcome: Outcome, clock: Clock, speed: float | None
) -> dict[str, Any]:
    """The content of result.json.

    Args:
        config: The run's.
        data: What it was trained on.
        outcome: Its metrics, its steps, its weights' digest.
        clock: How long it took.
        speed: Images a second through the extractor, if any had to pass it.
    """
    return {
        "status": "done",
        **run_metadata(config, data),
        **data_warnings(config, data),
        **outcome.as_json(),
        "seconds": clock.seconds,
        "extract_images_per_second": speed,
        "versions": versions(),
        "config": config.as_json(),
    }


def run_metadata(config: Config, data: RunData) -> dict[str, Any]:
    """The task, its data and its network."""
    return {
        "task": config.task,
        "data": {
            "source": data.source.kind,
            "name": data.source.name,
            "version": data.source.version,
            "classes": names_as_json(data.source.classes),
            "examples": data.source.examples,
        },
        "extractor": config.extractor,
        "transfer": config.transfer_mode,
    }


def data_warnings(config: Config, data: RunData) -> dict[str, Any]:
    """The duplicates, the missing classes, and the images that were skipped."""
    warnings = {"data_warnings": data.audit.as_json()}
    if not config.skip_bad_images:
        return warnings
    return {**warnings, "skipped_images": skipped_images(data.source)}


def log_summary(result: Mapping[str, Any], config: Config, folder: Path) -> None:
    """Log a table of the three splits, and the command to look at the curves."""
    if config.dry_run:
        logger.info(
            "dry run: everything is built, one step and a batch each of validation and test were"
            " run in %.1f s; nothing is left behind",
            result["seconds"]["total"],
        )
        return
    if result["stopped"]:
        logger.info(
            "stopped by %s in epoch %d, at step %d",
            *(result[name] for name in ("stopped", "epochs", "steps")),
        )
    logger.info(metrics_table(result))
    logger.info(
        "with the best weights, of step %d of %d; %.1f s in all; everything is in %s",
        *(result["best_step"], result["steps"], result["seconds"]["total"], shown_run(folder)),
    )
    is_remote = address_of(config.log_dir) is not None  # which TensorBoard need not be able to read
    log_dir = folder.parent.parent if is_remote else config.log_dir
    logger.info("next: tensorboard --host localhost --logdir %s", shlex.quote(str(log_dir)))
