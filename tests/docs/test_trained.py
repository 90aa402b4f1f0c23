"""docs/trained.md is true: its commands and its Python run on a trained model."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import trainer
from trainer import Config, command_line, compare, evaluate, predict
from trainer.setup.plugins import find_task

PAGE = (Path(__file__).parents[2] / "docs" / "trained.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"python -m trainer\.(predict|evaluate|compare) (.*)$", PAGE, re.MULTILINE)
[CODE] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MODULES = {"predict": predict, "evaluate": evaluate, "compare": compare}


@pytest.fixture(scope="module")
def folder(noise_folder, vector_module, tmp_path_factory):
    """A current folder with two finished runs and the images that the page names."""
    folder = tmp_path_factory.mktemp("docs")
    data = {"data": str(noise_folder), "extractor": str(vector_module), "jit": "off"}
    places = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
    for name in ("RUN", "other"):
        options = {**data, **places, "epochs": 1, "image_size": 8, "run_name": name}
        trainer.train(find_task("flowers"), Config(**options, report=False))
    shutil.copytree(noise_folder / "test" / "cyan", folder / "photos")
    shutil.copytree(noise_folder / "test", folder / "other-photos")
    shutil.copy(noise_folder / "test" / "cyan" / "0.png", folder / "photo.jpg")
    return folder


@pytest.mark.parametrize(("name", "options"), COMMANDS)
def test_its_commands_run(name, options, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    names = tmp_path / "names.txt"
    names.write_text("\n".join(map(str, sorted((folder / "photos").iterdir()))))
    monkeypatch.setattr(sys, "stdin", names.open())
    given, _, file = options.partition(" > ")
    assert command_line.exit_code(MODULES[name].main, shlex.split(given)) == 0
    assert not file or "predictions" in file


@pytest.mark.slow
def test_its_code_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    exec(CODE, {})
    out = capsys.readouterr().out
    assert "validation  30" in out
    assert (folder / "exported" / "flowers" / "MODEL.md").is_file()


def test_every_command_of_a_trained_model_is_there():
    assert {name for name, _ in COMMANDS} == set(MODULES)
