"""docs/training.md is true: every command in it runs, and its table tells the presets."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from trainer import command_line
from trainer.data.pipeline.augment import PRESETS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.run (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_run(options, run_command, cats_and_dogs, vector_module):
    small = ["--data", cats_and_dogs, "--epochs", 2, "--batch-size", 4, "--image-size", 32]
    given = shlex.split(options)
    if command_line.parse("run", given)[1].uses_extractor:
        small += ["--extractor", vector_module, "--image-size", 8]
    done = run_command(*given, *small)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("preset", ["light", "standard", "strong"])
def test_its_table_tells_how_far_a_preset_goes(preset):
    head, *rows = re.findall(r"^\|(.*)\|$", PAGE, re.MULTILINE)
    column = [cell.strip() for cell in head.split("|")].index(f"`{preset}`")
    told = {
        part: float(row.split("|")[column])
        for row in rows[1:]
        for part in re.findall(r"--([\w-]+)", row)
    }
    parts = dataclasses.asdict(PRESETS[preset])
    assert told == {part: parts[part.replace("-", "_")] for part in told}
    assert parts["flip"] == "horizontal"


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)#]*)\)", PAGE))
def test_its_links_lead_somewhere(link):
    assert (ROOT / "docs" / link).exists()
