"""`--data labels.csv`: one class, several labels or numbers an image, through the command."""

import csv
import json

import pytest

from trainer import Config, EverySteps, Hook, train
from trainer.setup.plugins import find_task


@pytest.fixture
def tables(tmp_path, noise_folder):
    """Tables of the same 150 pictures: of their class, of labels, of one number and of two."""
    files = sorted(noise_folder.glob("*/*/*.png"))
    kinds = [file.parent.name for file in files]
    texts = {
        "class": ("path,label", kinds),
        "labels": (
            "path,label",
            [f"{kind};tinted" if n % 2 else kind for n, kind in enumerate(kinds)],
        ),
        "number": ("path,label", [len(kind) / 10 for kind in kinds]),
        "numbers": ("path,a,b", [f"{len(kind)},{-len(kind)}" for kind in kinds]),
        "outputs": ("path,kind,size", [f"{kind},{len(kind)}" for kind in kinds]),
    }
    for name, (header, labels) in texts.items():
        lines = [f"{file},{label}" for file, label in zip(files, labels, strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    return tmp_path


@pytest.fixture
def trained(run_command, tables, vector_module):
    """Runs a task on a table; its result."""

    def run(task, table, *options):
        small = ("--extractor", vector_module, "--epochs", 2, "--batch-size", 16, "--jit", "off")
        done = run_command("--task", task, "--data", tables / f"{table}.csv", *small, *options)
        assert (done.code, done.err) == (0, "")
        [result] = tables.glob("logs/*/*/result.json")
        return json.loads(result.read_text()), done.out

    return run


def test_one_class_an_image(trained):
    result, out = trained("folder", "class")
    assert result["data"]["classes"] == ["cyan", "magenta", "yellow"]
    assert sum(result["data"]["examples"].values()) == 150
    assert "150 images of 3 classes, cut 70/15/15 into train, validation and test" in out


def test_several_labels_an_image(trained):
    result, out = trained("multi-label", "labels")
    names = ["cyan", "magenta", "tinted", "yellow"]
    assert "150 images of 4 labels" in out
    assert set(result["metrics"]["test"]) == {
        *("loss", "mean_average_precision", "mean_f1"),
        *(f"f1/{name}" for name in names),
    }


def test_a_number_an_image(trained, tables):
    result, out = trained("regression", "number")
    assert "150 images of 1 number" in out
    assert set(result["metrics"]["test"]) == {"loss", "mean_absolute_error", "r2"}
    [history] = tables.glob("logs/regression/*/history.csv")
    rows = list(csv.DictReader(history.open()))
    best = min(rows, key=lambda row: float(row["validation_loss"]))
    assert int(best["step"]) == result["best_step"]


@pytest.mark.parametrize(
    "options", [("--feature-memory", 0), ("--extractor", "none", "--image-size", 8)]
)
def test_numbers_are_read_in_every_way(trained, tables, options, user_module):
    user_module("my_pixels", PIXELS)
    task = "my_pixels:Numbers" if "none" in options else "regression"
    result, _ = trained(task, "numbers", *options)
    assert result["data"]["classes"] == ["a", "b"]


@pytest.mark.parametrize(
    "options", [(), ("--feature-memory", 0), ("--extractor", "none", "--image-size", 8)]
)
def test_each_output_learns_a_column_in_every_way(trained, user_module, options):
    user_module("my_outputs", OUTPUTS)
    result, out = trained("my_outputs:KindAndSize", "outputs", *options)
    assert "150 images of kind, size" in out
    assert result["data"]["classes"] == {
        "kind": ["cyan", "magenta", "yellow"],
        "size": ["size"],
    }
    recalls = {f"kind_recall/{name}" for name in ("cyan", "magenta", "yellow")}
    assert set(result["metrics"]["test"]) == {
        *("loss", "kind_accuracy", "size_mean_absolute_error"),
        *recalls,
    }


OUTPUTS = """
import keras
from keras import layers, metrics

from trainer import Task


class Recalls(metrics.F1Score):
    def update_state(self, labels, logits, sample_weight=None):
        one_hot = keras.ops.one_hot(labels, 3)
        return super().update_state(one_hot, keras.ops.softmax(logits), sample_weight)


class TwoHeads(keras.Model):
    def __init__(self, outputs):
        super().__init__()
        self.flatten = layers.Flatten()
        self.heads = {name: layers.Dense(count) for name, count in outputs.items()}

    def call(self, inputs):
        return {name: head(self.flatten(inputs)) for name, head in self.heads.items()}


class KindAndSize(Task):
    label_kind = {"kind": "class", "size": "numbers"}
    best = "max kind_accuracy"

    def head(self, outputs):
        return TwoHeads(outputs)

    def loss(self, labels, outputs):
        kind = keras.losses.sparse_categorical_crossentropy(
            labels["kind"], outputs["kind"], from_logits=True
        )
        return kind + keras.losses.mean_squared_error(labels["size"], outputs["size"])

    def metrics(self):
        return {
            "kind": {"accuracy": metrics.SparseCategoricalAccuracy(), "recall": Recalls()},
            "size": {"mean_absolute_error": metrics.MeanAbsoluteError()},
        }
"""


@pytest.fixture
def weighted_tables(tables):
    """A table without the rows of magenta, and one where they have the weight 0."""
    lines = (tables / "class.csv").read_text().splitlines()[1:]
    parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    rows = [f"{line},{parts[n % 10]}" for n, line in enumerate(lines)]
    few = [row for row in rows if ",magenta," not in row]
    (tables / "few.csv").write_text("\n".join(["path,label,split", *few]) + "\n")
    weighted = [f"{row},{0 if ',magenta,' in row else 0.5}" for row in rows]
    (tables / "weighted.csv").write_text("\n".join(["path,label,split,weight", *weighted]) + "\n")
    return tables


@pytest.mark.parametrize(
    "options", [(), ("--feature-memory", 0), ("--extractor", "none", "--image-size", 8)]
)
def test_rows_of_weight_0_count_in_no_metric(trained, weighted_tables, user_module, options):
    """Without magenta a prediction of it is never right, and all else is measured alike."""
    user_module("my_constant", CONSTANT)
    result, out = trained("my_constant:Yellow", "weighted", *options)
    lines = (weighted_tables / "few.csv").read_text().splitlines()
    test = [line for line in lines if "test" in line]
    yellow = sum("yellow" in line for line in test)
    assert result["metrics"]["test"]["accuracy"] == pytest.approx(yellow / len(test))
    assert ", weighted by its column weight" in out


CONSTANT = """
import keras
from trainer import Config, ImageClassification


def favours_the_last(shape, dtype=None):
    return 9 * keras.ops.one_hot(shape[0] - 1, shape[0])


class Yellow(ImageClassification):
    defaults = Config(learning_rate=1e-9)

    def head(self, classes):
        last = keras.layers.Dense(
            classes, kernel_initializer="zeros", bias_initializer=favours_the_last
        )
        return keras.Sequential([keras.layers.Flatten(), last])
"""


PIXELS = """
import keras
from trainer import Regression

class Numbers(Regression):
    def head(self, numbers):
        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(numbers)])
"""


class KilledError(Exception):
    """Stands for SIGKILL."""


class Kill(Hook):
    when = EverySteps(9)

    def on_steps_end(self, trainer, output):
        raise KilledError


@pytest.mark.slow
@pytest.mark.parametrize(("task", "table"), [("multi-label", "labels"), ("regression", "number")])
def test_killed_and_resumed_it_ends_with_the_same_bits(task, table, tables, vector_module):
    def run(log_dir, hooks=(), **options):
        small = {"extractor": str(vector_module), "epochs": 2, "batch_size": 16, "jit": "off"}
        folders = {"log_dir": tables / log_dir, "cache_dir": tables / "cache"}
        data = {"data": str(tables / f"{table}.csv"), "checkpoint_every": "4steps"}
        return train(find_task(task), Config(**small, **folders, **data, **options), hooks=hooks)

    whole = run("whole")
    with pytest.raises(KilledError):
        run("logs", [Kill()])
    [killed] = (tables / "logs" / task).iterdir()
    resumed = run("logs", resume=killed)
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]
    assert resumed.metrics == whole.metrics


# Mistakes.


@pytest.fixture
def refused(run_command, tables, tmp_path, vector_module):
    def run(*options):
        done = run_command("--extractor", vector_module, *options)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert not list(tmp_path.glob("logs/*/*"))
        return done.err.removeprefix("error: ")

    return run


@pytest.mark.parametrize("task", ["multi-label", "regression"])
def test_a_folder_is_refused_where_there_must_be_a_table(refused, noise_folder, task):
    line = refused("--task", task, "--data", noise_folder)
    assert "has one class an image" in line
    assert line.endswith("choose a table with --data labels.csv\n")


@pytest.mark.parametrize(
    "option", [("--label-smoothing", 0.1), ("--mixup", 0.2), ("--class-weights", "balanced")]
)
def test_options_of_classes_are_refused_for_numbers(refused, tables, option):
    line = refused("--task", "regression", "--data", tables / "number.csv", *option)
    assert (
        line == f"{option[0]} is for one class an image, and regression learns numbers; omit it\n"
    )


HEADS = """
import keras
from trainer import ImageClassification, Regression, Trainer

class Buggy(Trainer):
    def train_step(self, batch):
        return undefined_name

class OneHot(ImageClassification):
    def head(self, classes):
        return keras.Sequential([keras.layers.Dense(classes)])

    def metrics(self):
        return {"f1": keras.metrics.F1Score(average="macro")}

class Misspelt(OneHot):
    splits = {"train": "train[:80%]", "valid": "train[80%:90%]", "test": "train[90%:]"}

class ThreeLogits(ImageClassification):
    def head(self, classes):
        return keras.Sequential([keras.layers.Dense(5)])

class OneNumber(Regression):
    def head(self, numbers):
        return keras.Sequential([keras.layers.Dense(1)])

class Best(ImageClassification):
    best = "max f1"

    def head(self, classes):
        return keras.Sequential([keras.layers.Dense(classes)])
"""


@pytest.mark.parametrize(
    ("task", "table", "beginning"),
    [
        (
            "ThreeLogits",
            "class",
            "the head of threelogits gives (32, 5), and the loss takes 3 values",
        ),
        (
            "OneNumber",
            "numbers",
            "the head of onenumber gives (32, 1), and the loss takes 2 values",
        ),
        ("OneHot", "class", "the metric f1 cannot take labels (32,) and predictions (32, 3) ("),
        ("Misspelt", "class", "Misspelt.splits has train, valid, test; it must have train, val"),
        (
            "Best",
            "class",
            "the task's best = 'max f1' must be max or min and a metric of validation",
        ),
    ],
)
def test_a_mistake_of_a_task_is_one_line_before_training(
    refused, tables, user_module, task, table, beginning
):
    user_module("my_heads", HEADS)
    line = refused("--task", f"my_heads:{task}", "--data", tables / f"{table}.csv")
    assert line.startswith(beginning)


def test_a_bug_of_the_users_ends_in_their_traceback_and_leaves_no_run(
    run_command, tables, user_module, vector_module
):
    user_module("my_heads", HEADS)
    with pytest.raises(NameError, match="undefined_name"):
        run_command(
            *("--data", tables / "class.csv", "--extractor", vector_module),
            *("--trainer", "my_heads:Buggy", "--jit", "off"),
        )
    assert not (tables / "logs").exists() or not list(tables.glob("logs/*/*"))
