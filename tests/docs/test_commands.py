"""docs/commands.md is true: its commands are understood, its tables are complete."""

import dataclasses
import importlib
import re
import shlex
from pathlib import Path

import pytest

from trainer import command_line
from trainer.__main__ import COMMANDS
from trainer.core import errors, signals
from trainer.machine import problems

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| `trainer (\w+)` \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
TYPED = re.findall(r"^trainer (\w+) ?(.*)$", PAGE, re.MULTILINE)


def test_its_table_has_the_commands_that_there_are():
    assert [command for command, _, _ in TABLE] == list(COMMANDS)


@pytest.mark.parametrize(("command", "options"), [(name, options) for name, _, options in TABLE])
def test_the_options_that_it_names_exist(command, options):
    defaults = importlib.import_module(f"trainer.{command}").OPTIONS
    names = {field.name.replace("_", "-") for field in dataclasses.fields(defaults)}
    assert set(re.findall(r"--([\w-]+)", options)) <= names


@pytest.mark.parametrize(("command", "options"), TYPED)
def test_its_commands_are_understood(command, options):
    given = [option for option in shlex.split(options) if option != "--help"]
    defaults = importlib.import_module(f"trainer.{command}").OPTIONS
    command_line.parse_options(command, defaults, given)


def test_bash_takes_the_completion_as_it_says(python):
    line = re.search(r"^source <\(trainer (.*)\)$", PAGE, re.MULTILINE)[1]
    assert "-F _tyro_trainer trainer" in python("-m", "trainer", *line.split()).out


def test_its_exit_codes_are_those_of_the_commands():
    listed = ", ".join(re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE))
    codes = set(map(int, listed.split(", ")))
    stopped = {signals.Interrupted(number).exit_code for number in signals.ENDING}
    of_errors = {errors.UserError.exit_code, errors.DivergedError.exit_code}
    assert codes == {0, 1, command_line.BROKEN_PIPE, *of_errors, *stopped}


def test_its_bounds_are_those_of_the_doctor():
    assert f"less than {problems.LITTLE_MEMORY / 1e9:g} GB of free memory" in PAGE
    assert f"less than {problems.LITTLE_DISK / 1e9:g} GB free on a disk" in PAGE
