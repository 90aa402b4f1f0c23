"""Every example learns, resumes to the same bits, and is base.py but for lines marked as new."""

import ast
import contextlib
import csv
import functools
import importlib
import io
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from examples import learning_rate_hook
from examples.learning_rate_hook import HalveOnPlateau
from trainer import Config, EpochRecord, EverySteps, Hook

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
NEW = [name for name in EXAMPLES if name != "base"]

LARGE_BATCHES = {
    *("adversarial_networks", "metric_learning", "multi_label"),
    *("regression", "tabular", "text"),
}
"""Examples with thousands of examples of their own."""

SLOW = {
    *("accumulation_step", "adversarial_networks", "autoencoder", "multi_label"),
    *("regression", "segmentation", "text", "variational_autoencoder"),
}
"""Examples that are run with --slow alone."""

WITH_STATE_OF_THEIR_OWN = {
    *("base", "distillation_step", "learning_rate_hook", "own_data", "two_optimizers_step"),
}

CODE_LINES = 40
"""How many lines an example may add, beside imports and docstrings."""


@pytest.fixture(scope="module")
def config(tmp_path_factory, vector_module, noise_folder):
    """Makes the config of an example's run of seconds: few pictures, an extractor of one layer."""
    folder = tmp_path_factory.mktemp("examples")

    def make(name, **options):
        small = {"data": "sample", "sample_examples": 60, "epochs": 2, "seed": 7, "report": False}
        small["batch_size"] = 512 if name in LARGE_BATCHES else 8
        if name == "own_data":
            small["data"] = str(noise_folder)
        extractor = {"extractor": str(vector_module), "image_size": 8}
        # Uncompiled, TensorFlow's graph optimizer rounds this step in different orders.
        extractor["jit"] = "auto" if name == "adversarial_networks" else "off"
        folders = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
        killed = {"checkpoint_every": "2steps", "hook": (f"{__name__}:Kill",)}
        return Config(**{**small, **extractor, **folders, **killed, **options})

    return make


@pytest.fixture(scope="module")
def trained(config):
    """The run of an example, which is run once, and what it prints."""

    @functools.cache
    def run(name):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            example = importlib.import_module(f"examples.{name}")
            return example.main(config(name)), printed.getvalue()

    return run


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in EXAMPLES],
)
def name(request):
    """Every example in turn: a process runs all tests of one, which share its run."""
    return request.param


def code_of(name: str) -> list[str]:
    """The lines of an example behind its docstring."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    docstring = ast.parse(text).body[0]
    return text.splitlines()[docstring.end_lineno :]


def unmarked_lines(name: str) -> list[str]:
    text = "\n".join(code_of(name))
    text = re.sub(r"^# new:\n.*?^# end of new$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if line.strip() and "  # new" not in line]


EXPECTED = re.compile(r"test ([\w² ]+?)\s+near (\d+(?:\.\d+)?)")
"""In a docstring, the number that one should see."""


def documentation(name: str) -> str:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    return " ".join((ast.get_docstring(tree) or "").split())


def code_lines(name: str) -> list[str]:
    """The lines of an example as Python unparses them: without comments and docstrings."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imports = ast.Import | ast.ImportFrom
    tree.body = [node for node in tree.body if not isinstance(node, imports)]
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)] or [ast.Pass()]
    return [line for line in ast.unparse(tree).splitlines() if line.strip()]


def _is_text(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(value, ast.Constant)


def test_an_example_prints_what_it_has_come_to(name, trained):
    run, printed = trained(name)
    assert re.search(r"^test [\w² ]+ -?\d+\.\d+", printed, re.MULTILINE)
    assert (run.folder / "result.json").is_file()


def test_an_example_learns(name, trained):
    run, _ = trained(name)
    first, last = csv.DictReader((run.folder / "history.csv").open())
    # Of two networks against each other no loss need fall, but the distance to the ring; and of
    # these few pictures only five have a label in the example of pseudo-labels.
    by_validation = name in ("adversarial_networks", "pseudo_labels_step")
    loss = "validation_loss" if by_validation else "train_loss"
    assert float(last[loss]) < float(first[loss])


@pytest.mark.parametrize("name", NEW)
def test_an_example_differs_from_the_base_only_in_marked_lines(name):
    base = iter(unmarked_lines("base"))
    assert [line for line in unmarked_lines(name) if line not in base] == []


@pytest.mark.parametrize("name", NEW)
def test_an_example_adds_few_lines(name):
    base, added = set(code_lines("base")), code_lines(name)
    assert len([line for line in added if line not in base]) <= CODE_LINES


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_takes_only_what_is_public(name):
    """No name with an underscore, and of the package what docs/extending.md names."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not {attr for attr in names if re.match(r"_(?!_)", attr)}
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not {module for module in imported if module.startswith("trainer.")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_docstring_of_an_example_has_its_command_and_a_number(name):
    docstring = documentation(name)
    assert f"python examples/{name}.py" in docstring
    assert EXPECTED.search(docstring)


def test_the_page_of_examples_lists_all_of_them():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[(\w+)\.py\]", page, re.MULTILINE)) == EXAMPLES


def test_the_mixup_example_trains_with_its_own_step(trained):
    run, _ = trained("mixup_step")
    assert run.config.trainer == "examples.mixup_step:MixupTrainer"
    assert run.result["weights_digest"] != trained("base")[0].result["weights_digest"]


class Kill(Hook):
    """At the fifth step copies the folder of the run, as SIGKILL would leave it; or kills."""

    when = EverySteps(5)

    def on_steps_end(self, trainer, output):
        if trainer.step != 5:
            return
        if "KILL_EXAMPLE" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        for run in unfinished_runs(trainer.config.log_dir):
            if not run.name.endswith("-killed"):
                shutil.copytree(run, run.with_name(f"{run.name}-killed"))


def unfinished_runs(log_dir):
    runs = [path.parent for path in log_dir.glob("*/*/config.json")]
    return [run for run in runs if not (run / "result.json").exists()]


@pytest.fixture
def resumed_name(name, request):
    """All with --slow; else those that keep something besides the model, or whose data differ."""
    if name not in WITH_STATE_OF_THEIR_OWN and not request.config.getoption("--slow"):
        pytest.skip("takes minutes; --slow runs it")
    return name


def test_killed_and_resumed_an_example_ends_with_the_same_bits(resumed_name, config, trained):
    name, (whole, _) = resumed_name, trained(resumed_name)
    check_resumed(name, config, whole, whole.folder.with_name(f"{whole.folder.name}-killed"))


def check_resumed(name, config, whole, killed):
    """A run without a result ends, when it is resumed, as the whole one did."""
    assert not (killed / "result.json").exists()
    resumed = importlib.import_module(f"examples.{name}").main(config(name, resume=killed))
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]
    assert resumed.metrics == whole.metrics


KILLED = """
import sys
sys.path.insert(0, {root!r})
from examples import {name}
from pathlib import PosixPath, WindowsPath
from trainer import Config
{name}.main({config!r})
"""


@pytest.mark.slow
def test_after_sigkill_an_example_ends_with_the_same_bits(name, config, trained, python):
    whole, _ = trained(name)
    script = KILLED.format(root=str(FOLDER.parent), name=name, config=config(name))
    assert python("-c", script, KILL_EXAMPLE="1").code == -signal.SIGKILL
    runs = unfinished_runs(whole.folder.parents[1])
    [killed] = [run for run in runs if not run.name.endswith("-killed")]
    check_resumed(name, config, whole, killed)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "own_data"])
def test_an_example_comes_to_the_number_in_its_docstring(name, python):
    """Within a twentieth, and on any processor."""
    done = python(str(FOLDER / f"{name}.py"))
    what, expected = EXPECTED.search(documentation(name)).groups()
    printed = re.search(rf"^test {what} (-?\d+\.\d+)", done.out, re.MULTILINE)
    assert float(printed[1]) == pytest.approx(float(expected), rel=0.05, abs=0.05)


def test_the_learning_rate_is_halved_where_validation_does_not_improve():
    hook, trainer = HalveOnPlateau(), FakeTrainer()
    for loss in (2.0, 1.0, 1.5, 0.5):
        hook.on_epoch_end(trainer, EpochRecord(1, 1, 1.0, {"validation": {"loss": loss}}))
    assert trainer.optimizer.learning_rate == 0.5
    assert trainer.written == [0, 0, 1, 1]


@pytest.mark.slow
def test_the_hook_resumes_with_its_state(config):
    options = {"learning_rate": 2.0}  # so large that the validation loss rises
    name = "learning_rate_hook"
    whole = learning_rate_hook.main(config(name, epochs=4, **options))
    begun = learning_rate_hook.main(config(name, epochs=2, **options))
    resumed = learning_rate_hook.main(config(name, epochs=4, resume=begun.folder, **options))
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
