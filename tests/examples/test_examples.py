"""Every example runs, and is examples/base.py but for the lines that it marks as new."""

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from examples import learning_rate_hook, mixup_step, own_data
from trainer import Config

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.fixture
def config(tmp_path, vector_module):
    """A run of seconds: few pictures, and an extractor of a single layer."""

    def make(**options):
        small = {"data": "sample", "sample_examples": 60, "epochs": 2, "batch_size": 8}
        folders = {"log_dir": tmp_path / "logs", "cache_dir": tmp_path / "cache"}
        extractor = {"extractor": str(vector_module), "image_size": 8}
        return Config(**{**small, **folders, **extractor, **options})

    return make


@pytest.fixture
def options_of(cats_and_dogs):
    """What an example needs beside the options of every other."""
    return {"own_data": {"data": str(cats_and_dogs)}}


def code_of(name: str) -> list[str]:
    """The lines of an example behind its docstring."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    docstring = ast.parse(text).body[0]
    return text.splitlines()[docstring.end_lineno :]


def unmarked_lines(name: str) -> list[str]:
    text = "\n".join(code_of(name))
    text = re.sub(r"^# new:\n.*?^# end of new$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if line.strip() and not line.endswith("# new")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_trains_and_prints_its_accuracy(name, config, options_of, capsys):
    example = importlib.import_module(f"examples.{name}")
    run = example.main(config(**options_of.get(name, {})))
    assert f"test accuracy {run.metrics['test']['accuracy']:.3f}" in capsys.readouterr().out
    assert (run.folder / "result.json").is_file()


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"base"}))
def test_an_example_differs_from_the_base_only_in_marked_lines(name):
    base = iter(unmarked_lines("base"))
    assert [line for line in unmarked_lines(name) if line not in base] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_docstring_of_an_example_has_its_command_and_a_number(name):
    docstring = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")))
    assert f"python examples/{name}.py" in docstring
    assert re.search(r"test accuracy near 0\.\d+", docstring)


def test_the_page_of_examples_lists_all_of_them():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[(\w+)\.py\]", page, re.MULTILINE)) == EXAMPLES


def test_mixed_labels_are_those_of_the_mixed_examples(config):
    run = mixup_step.main(config())
    assert run.config.trainer == "examples.mixup_step:MixupTrainer"
    assert np.isfinite(run.metrics["train"]["loss"])


def test_the_learning_rate_is_halved_where_validation_does_not_improve(config):
    # With a learning rate of 0 no epoch improves on the first; from the hook's side nothing else.
    hook = learning_rate_hook.HalveOnPlateau()
    trainer, records = FakeTrainer(), [record(loss) for loss in (2.0, 1.0, 1.5, 0.5)]
    for each in records:
        hook.on_epoch_end(trainer, each)
    assert trainer.optimizer.learning_rate == 0.5
    assert trainer.written == [0, 0, 1, 1]


def test_the_hook_resumes_with_its_state(config):
    whole = learning_rate_hook.main(config(epochs=4, learning_rate=2.0))
    first = learning_rate_hook.main(config(epochs=2, learning_rate=2.0))
    resumed = learning_rate_hook.main(config(epochs=4, learning_rate=2.0, resume=first.folder))
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]


def test_own_photos_are_classified_by_their_folders(config, cats_and_dogs):
    run = own_data.main(config(data=str(cats_and_dogs)))
    assert run.result["data"]["classes"] == ["cat", "dog"]


class FakeTrainer:
    """What the hook needs of a trainer."""

    def __init__(self):
        self.optimizer = self
        self.learning_rate = 1.0
        self.written = []

    def write_scalars(self, values):
        self.written.append(values["halvings"])


def record(loss):
    from trainer import EpochRecord

    return EpochRecord(1, 1, 1.0, {"train": {}, "validation": {"loss": loss}})
