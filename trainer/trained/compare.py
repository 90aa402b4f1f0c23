"""Finished runs side by side: what differs in their options, and what they came to."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer.config.config import Config
from trainer.core.addresses import address_of
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder
from trainer.core.text import did_you_mean
from trainer.remote.runs import local_runs
from trainer.report.display import Table
from trainer.setup.resume import RESUMABLE_OPTIONS, STOPPING, saved_config

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """A run's folder, its options, and the content of its result.json."""

    folder: Path
    config: Config
    result: dict[str, Any]

    @property
    def test_metrics(self) -> dict[str, float]:
        """By name, without those of single classes."""
        return {n: v for n, v in self.result["metrics"]["test"].items() if "/" not in n}


def finished_runs(paths: Sequence[Path]) -> list[FinishedRun]:
    """The runs in some folders, each the folder of a run or one with runs in it.

    Those that are not finished are left out, with a line for each.

    Raises:
        UserError: there is no run in a folder, or fewer than two are finished.
    """
    folders = [folder for path in paths for folder in _run_folders(path)]
    found = [run for run in map(_finished_run, dict.fromkeys(folders)) if run is not None]
    if len(found) < 2:
        raise UserError(
            f"there are {len(found)} finished runs in {', '.join(map(str, paths))}; name two or"
            " more, or the folder that has them"
        )
    return found


def sorted_by(runs: Sequence[FinishedRun], metric: str | None) -> list[FinishedRun]:
    """The best first.

    Args:
        runs: At least one.
        metric: Of the test; the accuracy, else the loss, when None. Losses and errors are better
            when they are low.

    Raises:
        UserError: no run has the metric.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.test_metrics))
    metric = metric or ("accuracy" if "accuracy" in names else "loss")
    if metric not in names:
        raise UserError(f"--sort-by {metric}: no such metric; {did_you_mean(metric, names)}")
    sign = 1 if "loss" in metric or "error" in metric else -1
    return sorted(runs, key=lambda run: sign * run.test_metrics.get(metric, sign * float("inf")))


def comparison_rows(runs: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """A row a run: its name, the options in which the runs differ, and what it came to."""
    different = list(_different_options(runs))
    several_tasks = len({run.config.task for run in runs}) > 1
    return [
        {
            "run": run.folder.name,
            **({"task": run.config.task} if several_tasks else {}),
            **{name: run.config.as_json()[name] for name in different},
            **run.test_metrics,
            "steps": run.result["steps"],
            "seconds": run.result["seconds"]["total"],
        }
        for run in runs
    ]


def comparison_table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows for people."""
    cells = {}
    for number, row in enumerate(rows):
        name = row["run"] if row["run"] not in cells else f"{row['run']} ({number})"
        cells[name] = {n: _shown(n, value) for n, value in row.items() if n != "run"}
    return Table("run", cells)


def _different_options(runs: Sequence[FinishedRun]) -> Iterator[str]:
    options = [run.config.as_json() for run in runs]
    for name in options[0]:
        is_compared = name in STOPPING or name not in RESUMABLE_OPTIONS
        if name != "task" and is_compared and any(o[name] != options[0][name] for o in options):
            yield name


def _run_folders(path: Path) -> list[Path]:
    if address_of(path) is not None:
        return local_runs(path)
    if RunFolder(path).config.is_file():
        return [path]
    found = sorted(config.parent for config in path.glob("**/config.json"))
    if not found:
        raise UserError(f"{path}: there is no run in it; choose LOG_DIR/<task>, or a run of it")
    return found


def _finished_run(folder: Path) -> FinishedRun | None:
    try:
        result = json.loads(RunFolder(folder).result.read_bytes())
    except (OSError, ValueError):
        logger.warning("%s is not finished; it is left out", folder)
        return None
    return FinishedRun(folder, saved_config(folder), result)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}" if name == "seconds" else f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
