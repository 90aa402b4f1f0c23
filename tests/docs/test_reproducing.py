"""docs/reproducing.md is true: its commands resume a run, and its exit codes are ours."""

import json
import re
import shlex
import signal
from pathlib import Path

import pytest

from trainer import Config, UserError, command_line
from trainer.core.errors import DivergedError
from trainer.core.signals import Interrupted

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.run (.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def last_run(tmp_path, monkeypatch):
    """A run of ten epochs, below logs/ of the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = Path("logs/flowers/2030-01-02_03-04-05")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(Config().as_json()))
    return folder


@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_resume_the_last_run(options, last_run):
    _, config, _ = command_line.parse("run", shlex.split(options))
    assert config.resume == last_run


def test_one_of_them_trains_it_further(last_run):
    configs = [command_line.parse("run", shlex.split(options))[1] for options in COMMANDS]
    assert {config.epochs for config in configs} == {10, 20}


def test_its_exit_codes_are_ours():
    table = re.findall(r"^\| [^|]+ \| ([\d, ]+) \|", PAGE, re.MULTILINE)
    ours = [0, UserError.exit_code, DivergedError.exit_code]
    ours += [Interrupted(number).exit_code for number in (signal.SIGINT, signal.SIGTERM)]
    assert [int(code) for codes in table for code in codes.split(",")] == ours


@pytest.mark.parametrize("path", re.findall(r"`(tests/[\w/.]*)`", PAGE))
def test_the_tests_that_it_names_exist(path):
    assert (ROOT / path).is_file()
