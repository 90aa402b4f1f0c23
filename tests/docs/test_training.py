"""docs/training.md is true: every command in it runs, and its table has the presets' numbers."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from trainer import command_line
from trainer.data.pipeline.augmentation import PRESETS

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.run (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_are_understood(options):
    command_line.parse("run", shlex.split(options))


@pytest.mark.slow
@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_run(options, run_command, cats_and_dogs, vector_module):
    small = ["--data", cats_and_dogs, "--epochs", 2, "--batch-size", 4, "--image-size", 32]
    small += ["--jit", "off"]
    given = shlex.split(options)
    if command_line.parse("run", given)[1].uses_extractor:
        small += ["--extractor", vector_module, "--image-size", 8]
    done = run_command(*given, *small)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("preset", ["light", "standard", "strong"])
def test_its_table_has_the_numbers_of_a_preset(preset):
    head, *rows = re.findall(r"^\|(.*)\|$", PAGE, re.MULTILINE)
    column = [cell.strip() for cell in head.split("|")].index(f"`{preset}`")
    listed = {
        part: float(row.split("|")[column])
        for row in rows[1:]
        for part in re.findall(r"--([\w-]+)", row)
    }
    parts = dataclasses.asdict(PRESETS[preset])
    assert listed == {part: parts[part.replace("-", "_")] for part in listed}
    assert parts["flip"] == "horizontal"
