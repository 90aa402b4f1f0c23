"""docs/runs.md is true: its commands are understood, and a run has the files that it lists."""

import json
import re
import shlex
from pathlib import Path

import pytest

from trainer import Config, command_line

PAGE = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.run (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_options_are_understood(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("logs/flowers/2030-01-02_03-04-05")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(Config().as_json()))
    _, config, _ = command_line.parse("run", shlex.split(options))
    assert config.resume == (folder if "--resume" in options else None)


def test_a_run_has_the_files_that_it_lists(run_command, cats_and_dogs, vector_module, tmp_path):
    small = ["--data", cats_and_dogs, "--extractor", vector_module, "--image-size", 8]
    assert run_command("--task", "folder", "--epochs", 1, *small, "--report").code == 0
    [run] = tmp_path.glob("logs/folder/*")
    [section] = re.findall(r"^## The run folder\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
    listed = " ".join(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)).split()
    # The lock is for other processes, and no part of the run.
    written = {path.name for path in run.iterdir() if not path.name.startswith("events.")}
    written -= {".lock"}
    assert written == {name.split("/")[0] for name in listed}


def test_the_result_has_what_it_says(run_command, cats_and_dogs, vector_module, tmp_path):
    small = ["--data", cats_and_dogs, "--extractor", vector_module, "--image-size", 8]
    run_command("--task", "folder", "--epochs", 1, *small)
    [result] = tmp_path.glob("logs/folder/*/result.json")
    content = json.loads(result.read_text())
    assert {"metrics", "stopped", "seconds", "versions", "data_warnings", "weights_digest"} <= set(
        content
    )
    assert set(content["metrics"]) == {"train", "validation", "test"}
