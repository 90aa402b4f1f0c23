"""docs/review.md is true: its commands are understood, and its numbers are those of the code."""

import re
import shlex
from pathlib import Path

import pytest

from trainer import command_line, review
from trainer.reviewing.neighbours import NEIGHBOURS

PAGE = (Path(__file__).parents[2] / "docs" / "review.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.review (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_are_understood(options):
    parsed, _ = command_line.parse_options("review", review.OPTIONS, shlex.split(options))
    assert (parsed.run is None) != (parsed.data is None)


def test_its_numbers_are_those_of_the_code():
    assert f"its {NEIGHBOURS} nearest" in PAGE
