"""docs/scaling.md is true: its commands are understood, and what is kept where it says."""

import json
import re
import shlex
from pathlib import Path

import fsspec
import pytest

from trainer import Config, command_line, evaluate, launch
from trainer.core.cache_folder import DOWNLOADS, RUNS
from trainer.remote.folder import RemoteFolder
from trainer.remote.runs import shown_run
from trainer.setup.resume import find_run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Where the addresses of the page are for this test, with the run that it resumes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fsspec.filesystem("memory").store.clear()
    config = json.dumps(Config(task="folder").as_json()).encode()
    RemoteFolder("memory://bucket/logs/folder/2030-01-02_03-04-05").write("config.json", config)
    yield "memory://bucket"
    fsspec.filesystem("memory").store.clear()


def options_of(line, bucket):
    return shlex.split(line.replace("s3://bucket", bucket))


@pytest.mark.parametrize("line", re.findall(r"^python -m trainer\.run (.*s3:.*)$", PAGE, re.M))
def test_its_runs_at_addresses_are_understood(line, bucket):
    options = options_of(line, bucket)
    _, config, _ = command_line.parse("run", options)
    resumed = None if config.resume is None else shown_run(config.resume)
    assert resumed == (options[1] if options[0] == "--resume" else None)


@pytest.mark.parametrize("line", re.findall(r"^python -m trainer\.evaluate (.*s3:.*)$", PAGE, re.M))
def test_its_runs_to_evaluate_are_found(line, bucket):
    options, _ = command_line.parse_options("evaluate", evaluate.OPTIONS, options_of(line, bucket))
    assert shown_run(find_run(options.run, options.log_dir, None)) == options.run


def test_the_extra_that_it_names_exists():
    assert "pip install 'tf-trainer[remote]'" in PAGE
    assert re.search(r"^remote = \[", PROJECT, re.MULTILINE)


@pytest.mark.parametrize("folder", [DOWNLOADS, RUNS])
def test_the_folders_in_the_cache_are_called_so(folder):
    assert f"`{folder}/`" in PAGE


@pytest.mark.parametrize(
    "line",
    re.findall(r"^python -m trainer\.(?:run|launch) (.*(?:mirrored|workers).*)$", PAGE, re.M),
)
def test_its_runs_on_several_devices_are_understood(line):
    workers, of_run = launch.own_and_others(shlex.split(line))
    _, config, _ = command_line.parse("run", of_run)
    assert (config.strategy, config.devices) == ("mirrored", 2) or workers == ["--workers", "2"]
