"""Options of optimization, through the command, on images of two classes."""

import csv
import json
import math

import pytest

OF_CLASSES = """
import keras
from tasks.flowers import Flowers

class OfClasses(Flowers):
    def loss(self, labels, logits):
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
"""


@pytest.fixture
def train(run_command, vector_module, cats_and_dogs, tmp_path):
    """Trains for two epochs; returns the result, which must be strict JSON, and the history."""

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    def run(*options, task="dogs"):
        common = ("--task", task, "--data", cats_and_dogs, "--extractor", vector_module)
        common += ("--jit", "off")
        done = run_command(*common, "--epochs", 2, "--batch-size", 4, *options)
        assert done.code == 0, done.err
        [folder] = tmp_path.glob("logs/*/*")
        rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
        return json.loads((folder / "result.json").read_text(), parse_constant=refuse), rows

    return run


@pytest.fixture
def refused(run_command, vector_module, cats_and_dogs, tmp_path):
    """The one line of error with which the command ends."""

    def run(*options):
        common = ("--task", "dogs", "--data", cats_and_dogs, "--extractor", vector_module)
        done = run_command(*common, *options)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert not list(tmp_path.glob("logs/*/*"))
        return done.err.removeprefix("error: ").rstrip("\n")

    return run


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("dogs", ("--optimizer", "SGD", "--momentum", 0.9, "--weight-decay", 1e-4)),
        pytest.param("horses", ("--schedule", "cosine", "--warmup", "20%"), marks=pytest.mark.slow),
        pytest.param(
            "horses", ("--accumulate", 2, "--clip-norm", 1, "--ema", 0.9), marks=pytest.mark.slow
        ),
        ("horses", ("--label-smoothing", 0.1, "--class-weights", "balanced")),
        pytest.param("dogs", ("--precision", "mixed_bfloat16"), marks=pytest.mark.slow),
        (
            "horses",
            ("--precision", "mixed_float16", "--accumulate", 2, "--clip-norm", 1, "--ema", 0.9),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(map(str, value)),
)
def test_a_run_is_tested_with_finite_metrics(train, task, options):
    result, rows = train(*options, task=task)
    assert all(
        math.isfinite(value) for metrics in result["metrics"].values() for value in metrics.values()
    )
    assert len(rows) == 2


def test_the_history_has_the_learning_rate_of_the_schedule(train):
    _, rows = train("--schedule", "cosine", "--learning-rate", 0.1)
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.05, 0.0], abs=1e-7)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--optimizer", "adamm"), "--optimizer adamm is unknown: did you mean adam? There are"),
        (("--momentum", 0.9), "--momentum: adam has none; omit it, or choose --optimizer"),
        (("--ema", 1), "--ema must be at least 0 and less than 1, not 1.0"),
        (("--warmup", "5"), "--warmup must be a duration like 200steps, 2epochs, 1000examples"),
        (("--epochs", 1, "--warmup", "2epochs"), "--warmup 2epochs is 2 steps, and the training"),
        (
            ("--epochs", 1, "--accumulate", 9),
            "--accumulate 9 is more steps than the training has (1)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_impossible_options_are_refused_in_one_line(refused, options, line):
    assert refused(*options).startswith(line)


def test_mixing_is_refused_for_a_loss_without_soft_labels(refused, user_module):
    user_module("my_loss", OF_CLASSES)
    line = refused("--task", "my_loss:OfClasses", "--mixup", 0.2, "--cutmix", 1)
    assert line.startswith("--mixup and --cutmix: the loss of ofclasses takes no soft labels")
