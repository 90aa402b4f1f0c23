"""docs/installing.md is true: its commands run, and say what it says."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_its_command_shows_which_package_is_found(python, checkout):
    [command] = re.findall(r"^python (-c .*)$", PAGE, re.MULTILINE)
    shown = python(*shlex.split(command)).out
    assert shown == f"{checkout / 'trainer' / '__init__.py'} <class 'trainer.task.Task'>\n"
    assert "<class 'trainer.task.Task'>" in PAGE


def test_the_distribution_has_the_name_that_it_says():
    assert 'name = "tf-trainer"' in PROJECT
    assert "The distribution is `tf-trainer`" in PAGE


@pytest.mark.parametrize("extra", re.findall(r"-e '\.\[(\w+)\]'", PAGE))
def test_its_extras_exist(extra):
    assert re.search(rf"^{extra} = \[", PROJECT, re.MULTILINE)


def test_onednn_can_be_turned_off(python):
    ask = "import os, trainer; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    assert python("-c", ask, TF_ENABLE_ONEDNN_OPTS="0").out == "0\n"
