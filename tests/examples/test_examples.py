"""Every example runs, and is examples/base.py but for the lines that it marks as new."""

import ast
import contextlib
import functools
import importlib
import io
import re
from pathlib import Path

import pytest

from examples import learning_rate_hook
from examples.learning_rate_hook import HalveOnPlateau
from trainer import Config, EpochRecord, EverySteps, Hook

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.fixture(scope="module")
def config(tmp_path_factory, vector_module):
    """Makes the config of a run of seconds: few pictures, an extractor of a single layer."""
    folder = tmp_path_factory.mktemp("examples")

    def make(**options):
        small = {"data": "sample", "sample_examples": 60, "epochs": 2, "batch_size": 8}
        extractor = {"extractor": str(vector_module), "image_size": 8, "jit": "off"}
        folders = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
        return Config(**{**small, **extractor, **folders, **options})

    return make


@pytest.fixture(scope="module")
def trained(config, noise_folder):
    """The run of an example, which is run once."""
    data = {"own_data": {"data": str(noise_folder)}}

    @functools.cache
    def run(name):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            example = importlib.import_module(f"examples.{name}")
            return example.main(config(**data.get(name, {}))), printed.getvalue()

    return run


def code_of(name: str) -> list[str]:
    """The lines of an example behind its docstring."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    docstring = ast.parse(text).body[0]
    return text.splitlines()[docstring.end_lineno :]


def unmarked_lines(name: str) -> list[str]:
    text = "\n".join(code_of(name))
    text = re.sub(r"^# new:\n.*?^# end of new$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if line.strip() and "  # new" not in line]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_trains_and_prints_its_accuracy(name, trained):
    run, printed = trained(name)
    assert f"test accuracy {run.metrics['test']['accuracy']:.3f}" in printed
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


def test_the_mixup_example_trains_with_its_own_step(trained):
    run, _ = trained("mixup_step")
    assert run.config.trainer == "examples.mixup_step:MixupTrainer"
    assert run.result["weights_digest"] != trained("base")[0].result["weights_digest"]


class KilledError(Exception):
    """Stands for SIGKILL."""


class Kill(Hook):
    """Kills at a step, once."""

    when = EverySteps(5)
    left = 0

    def on_steps_end(self, trainer, output):
        if trainer.step == 5 and Kill.left:
            Kill.left -= 1
            raise KilledError


@pytest.mark.parametrize("name", ["accumulation_step", "distillation_step", "tabular"])
def test_killed_and_resumed_an_example_ends_with_the_same_bits(name, config, monkeypatch):
    example = importlib.import_module(f"examples.{name}")
    options = {"checkpoint_every": "2steps", "hook": (f"{__name__}:Kill",), "seed": 7}
    whole = example.main(config(**options))
    monkeypatch.setattr(Kill, "left", 1)
    with pytest.raises(KilledError):
        example.main(config(**options))
    killed = max(whole.folder.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert not (killed / "result.json").exists()
    resumed = example.main(config(**options, resume=killed))
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]


def test_the_learning_rate_is_halved_where_validation_does_not_improve():
    hook, trainer = HalveOnPlateau(), FakeTrainer()
    for loss in (2.0, 1.0, 1.5, 0.5):
        hook.on_epoch_end(trainer, EpochRecord(1, 1, 1.0, {"validation": {"loss": loss}}))
    assert trainer.optimizer.learning_rate == 0.5
    assert trainer.written == [0, 0, 1, 1]


def test_the_hook_resumes_with_its_state(config):
    options = {"learning_rate": 2.0}  # so large that the validation loss rises
    whole = learning_rate_hook.main(config(epochs=4, **options))
    begun = learning_rate_hook.main(config(epochs=2, **options))
    resumed = learning_rate_hook.main(config(epochs=4, resume=begun.folder, **options))
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]


def test_own_photos_are_classified_by_their_folders(trained):
    run, _ = trained("own_data")
    assert run.result["data"]["classes"] == ["cyan", "magenta", "yellow"]


class FakeTrainer:
    """What the hook needs of a trainer."""

    def __init__(self):
        self.optimizer = self
        self.learning_rate = 1.0
        self.written = []

    def write_scalars(self, values):
        self.written.append(values["halvings"])
