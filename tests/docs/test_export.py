"""docs/export.md is true: its commands and its Python do what it says."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import trainer
from trainer import Config, command_line, export
from trainer.exporting.check import example_files
from trainer.setup.plugins import find_task

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.export (.*)$", PAGE, re.MULTILINE)
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(noise_folder, vector_module, tmp_path_factory):
    """A current folder with a finished run."""
    folder = tmp_path_factory.mktemp("docs")
    data = {"data": str(noise_folder), "extractor": str(vector_module), "jit": "off"}
    places = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
    trainer.train(find_task("flowers"), Config(**data, **places, epochs=1, image_size=8))
    (folder / "rose.jpg").write_bytes(example_files(8)[0])
    return folder


def exported(folder, command, monkeypatch):
    monkeypatch.chdir(folder)
    return command_line.exit_code(export.main, shlex.split(command))


@pytest.mark.parametrize(
    "number", [pytest.param(0, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.slow), 3]
)
def test_a_command_exports_what_the_python_below_it_loads(folder, number, monkeypatch, capsys):
    assert exported(folder, COMMANDS[number], monkeypatch) == 0
    block = BLOCKS[{0: 0, 1: 1, 3: 2}[number]]
    names = {"images": np.zeros([1, 8, 8, 3], np.float32)}
    exec(block, names)
    if number == 0:
        assert capsys.readouterr().out.splitlines()[-1].split()[0] in ("cyan", "magenta", "yellow")
    else:
        assert np.isclose(np.sum(names["scores"]), 1, atol=1e-6)


@pytest.mark.slow
def test_quantized_it_shows_validation(folder, monkeypatch, capsys):
    assert exported(folder, COMMANDS[2], monkeypatch) == 0
    assert "quantized" in capsys.readouterr().out


def test_a_hub_module_is_no_keras_file(folder, monkeypatch, capsys):
    assert exported(folder, COMMANDS[4], monkeypatch) == 2
    assert "the layer 'extractor'" in capsys.readouterr().err


def test_every_command_is_tried():
    assert len(COMMANDS) == 5
