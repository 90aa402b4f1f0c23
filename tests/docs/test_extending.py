"""docs/extending.md is true: its modules, as they are written there, run by its commands."""

import json
import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
MODULES = re.findall(r"`(my_\w+)\.py`[^`]*```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^python -m trainer\.run (.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def as_written(user_module):
    """The modules of the page in the current folder."""
    for name, code in MODULES:
        user_module(name, code)


@pytest.fixture
def result_of(as_written, run_command, cats_and_dogs, vector_module, tmp_path):
    """Runs a command of the page, on a folder of pictures and a small extractor."""

    def run(options):
        given = shlex.split(options.replace("--data photos", f"--data {cats_and_dogs}"))
        small = ["--batch-size", 4, "--jit", "off"]
        if "photos" in options:
            small += ["--extractor", vector_module, "--image-size", 8]
        else:
            small += ["--data-dir", tmp_path / "tfds"]
        done = run_command(*given, *small)
        assert done.code == 0, done.err
        [result] = tmp_path.glob("logs/*/*/result.json")
        return json.loads(result.read_text())

    return run


def test_it_has_a_task_a_step_a_hook_and_a_source():
    assert [name for name, _ in MODULES] == ["my_tasks", "my_trainers", "my_hooks", "my_dataset"]
    assert len(COMMANDS) == len(MODULES)


@pytest.mark.parametrize("options", COMMANDS)
def test_its_commands_run(options, result_of):
    assert result_of(options)["status"] == "done"


def test_its_task_reports_its_own_metric(result_of):
    assert "top_2_accuracy" in result_of(COMMANDS[0])["metrics"]["test"]


def test_its_hook_writes_to_tensorboard(result_of, tmp_path):
    from tests.conftest import points_of

    result_of(next(options for options in COMMANDS if "--hook" in options))
    [run] = tmp_path.glob("logs/*/*")
    assert "lowest_images_per_second" in {tag for _, tag, _ in points_of(run)}
