"""docs/sweeps.md is true: its commands are understood, and its numbers are those of the code."""

import re
import shlex
from pathlib import Path

import pytest

from trainer import command_line, sweep
from trainer.sweeping import learning_rate_range
from trainer.sweeping.plan import split_options
from trainer.sweeping.trials import trial_runner

PAGE = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.sweep (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_are_understood(options):
    parsed, _ = command_line.parse_options("sweep", sweep.OPTIONS, shlex.split(options))
    plan = split_options(parsed)
    assert plan.options.find_learning_rate or plan.points or plan.options.search


def test_its_table_has_options_that_there_are():
    names = re.findall(r"^\| `--([\w-]+)", PAGE, re.MULTILINE)
    assert {name.replace("-", "_") for name in names} <= vars(sweep.OPTIONS).keys()


def test_its_numbers_are_those_of_the_code():
    assert f"the {trial_runner.MAX_PROGRAMS} that were used last" in PAGE
    assert f"trains {learning_rate_range.STEPS} steps" in PAGE
