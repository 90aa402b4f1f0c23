"""docs/transfer.md is true: its commands are understood."""

import re
import shlex
from pathlib import Path

import pytest

from trainer import command_line

PAGE = (Path(__file__).parents[2] / "docs" / "transfer.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.run (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_options_are_understood(options):
    _, config, _ = command_line.parse("run", shlex.split(options))
    assert config.task in ("flowers", "dogs")


@pytest.mark.parametrize("way", ["frozen", "early", "finetune", "scratch"])
def test_each_way_has_a_command(way):
    configs = [command_line.parse("run", shlex.split(options))[1] for options in COMMANDS]
    assert way in {config.transfer_mode for config in configs}
