"""What a run came to, for result.json and for people."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from trainer.config.config import Config
from trainer.data.checks.audit import Audit
from trainer.data.checks.unreadable import skipped_images
from trainer.data.splits import Source
from trainer.report.clock import Clock
from trainer.report.progress import Display


def run_metadata(config: Config, source: Source) -> dict[str, Any]:
    """The task, its data and its network, as result.json has them."""
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
        "transfer": config.transfer_mode,
    }


def what_is_wrong(audited: Audit, source: Source, config: Config) -> dict[str, Any]:
    """With the data, as result.json has it."""
    warnings = {"data_warnings": audited.as_json()}
    if not config.skip_bad_images:
        return warnings
    return {**warnings, "skipped_images": skipped_images(source)}


def extraction_speed(extracted: int, clock: Clock) -> float | None:
    """Images a second through the extractor; None if none had to pass it."""
    return round(extracted / clock.seconds["extract"], 1) if extracted else None


def close(display: Display, result: dict[str, Any], config: Config, folder: Path) -> None:
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
        f"with the best weights, of step {result['best_step']} of {result['steps']};"
        f" {result['seconds']['total']:.1f} s in all; everything is in {folder}"
    )
    display.say(f"next: tensorboard --host localhost --logdir {shlex.quote(str(config.log_dir))}")
