"""A runner that the trials of a module share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from trainer import Config
from trainer.setup.plugins import find_task
from trainer.sweeping.folder import SweepFolder
from trainer.sweeping.plan import Plan, SweepOptions
from trainer.sweeping.trials.trial_runner import TrialRunner


@pytest.fixture(scope="module")
def config(task_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The options of every trial where it has no others."""
    folder = tmp_path_factory.mktemp("runs")
    defaults = find_task("sweep_tasks:Blobs").defaults
    return dataclasses.replace(defaults, log_dir=folder / "logs", cache_dir=folder / "cache")


@pytest.fixture(scope="module")
def runner(config: Config, tmp_path_factory: pytest.TempPathFactory) -> TrialRunner:
    """A process's runner, which all tests of a module share as the trials of a sweep do."""
    plan = Plan(config, SweepOptions())
    return TrialRunner(plan, SweepFolder(tmp_path_factory.mktemp("sweep")))
