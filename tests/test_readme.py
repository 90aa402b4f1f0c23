"""The README is true: its code runs, and its commands are understood."""

import importlib
import json
import re
import shlex
from pathlib import Path

import pytest

from trainer import Config, command_line

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES_ABOVE_THE_FOLD = 40


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run_commands() -> list[str]:
    return sorted(set(re.findall(r"python -m trainer\.run ([^`\n]*)", README)))


def other_commands() -> list[tuple[str, str]]:
    return re.findall(r"python -m trainer\.((?!run\b)\w+) ?([^`\n]*)", README)


@pytest.fixture
def as_written(user_module, tmp_path):
    """A folder with the README's modules, each under the name that stands above it."""
    names = re.findall(r"^`(my_\w+)\.py`:$", README, re.MULTILINE)
    for name, code in zip(names, blocks("python"), strict=True):
        user_module(name, code)
    return tmp_path


@pytest.mark.parametrize("options", run_commands())
def test_its_options_are_understood(options, as_written):
    arguments = shlex.split(options)
    if "--help" in arguments or "--resume" in arguments:
        return
    _, config, _ = command_line.parse("run", arguments)
    assert config.task == arguments[arguments.index("--task") + 1]


def test_its_resume_command_finds_the_last_run(as_written):
    [options] = [options for options in run_commands() if "--resume" in options]
    folder = Path("logs/flowers/2030-01-02_03-04-05")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(Config().as_json()))
    _, config, _ = command_line.parse("run", shlex.split(options))
    assert config.resume == folder


def test_its_script_trains(as_written, script, vector_module):
    small = f'extractor="{vector_module}", image_size=8, data="sample", sample_examples=60'
    code = Path("my_script.py").read_text().replace("trainer.Config(", f"trainer.Config({small}, ")
    done = script(code)
    # A row of a list, or of pandas' table where that is installed.
    assert re.search(r"'epoch': 5|^4 +5 ", done.out, re.MULTILINE)
    [run] = as_written.glob("logs/flowers/*")
    assert run.name in done.out


def test_its_task_step_and_hook_run_on_a_folder_of_photos(as_written, run_command, write_photos):
    write_photos(as_written / "photos", 25)
    [command] = [c for c in blocks("sh") if "my_trainers" in c]
    python, dash, module, *options = shlex.split(command)
    assert (python, dash, module) == ("python", "-m", "trainer.run")
    done = run_command(*options)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(("command", "options"), other_commands())
def test_its_other_commands_are_understood(command, options):
    defaults = importlib.import_module(f"trainer.{command}").OPTIONS
    command_line.parse_options(command, defaults, shlex.split(options))


def test_its_picture_is_there_and_small():
    [picture] = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert 0 < (ROOT / picture).stat().st_size < 150_000


def test_a_reader_sees_the_command_and_the_results_at_once():
    top = "\n".join(README.splitlines()[:LINES_ABOVE_THE_FOLD])
    assert "<!-- ci: train -->" in top
    assert top.count("| `python -m trainer.run") >= 3


@pytest.mark.parametrize("name", ["train", "test"])
def test_the_gate_finds_the_command(name):
    assert re.search(rf"<!-- ci: {name} -->\n```sh\npython3 -m venv [^\n]*\n```", README)
