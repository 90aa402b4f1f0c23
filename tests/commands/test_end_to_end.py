"""The commands, as a user types them, on a part of the sample."""

import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ROOT = Path(__file__).parents[2]

THEIR_OWN = '''
import keras
import tensorflow as tf
import tensorflow_datasets
import tensorflow_hub

from trainer import Config, ImageClassification, Trainer


class Cats(ImageClassification):
    """A network of the user's own, from images."""

    dataset = "tf_flowers"
    sample = "flowers"
    defaults = Config(extractor="none", image_size=32, epochs=2, batch_size=16)

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential(
            [layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(classes)]
        )


class MixupTrainer(Trainer):
    def train_step(self, batch):
        images, labels, sample_weight = batch
        labels = tf.one_hot(labels, len(self.classes))
        images, labels = (0.8 * x + 0.2 * tf.reverse(x, [0]) for x in (images, labels))
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        self.apply_gradients(tape.gradient(loss, self.model.trainable_variables))
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss}
'''


class Finished:
    """A run that ended: what it printed and what it left."""

    def __init__(self, process: subprocess.CompletedProcess, log_dir: Path) -> None:
        assert process.returncode == 0, process.stderr
        self.stdout, self.stderr = process.stdout, process.stderr
        [self.folder] = log_dir.glob("*/*")
        self.result = json.loads((self.folder / "result.json").read_text())


@pytest.fixture(scope="module")
def type_command(tmp_path_factory):
    """`python -m trainer.run` with options, each call in a log folder of its own."""
    cache = tmp_path_factory.mktemp("cache")

    def run(*options: str, folder: Path = ROOT) -> Finished:
        log_dir = tmp_path_factory.mktemp("logs")
        command = [sys.executable, "-m", "trainer.run", "--data", "sample", "--log-dir", log_dir]
        command += ["--sample-examples", "60", "--cache-dir", cache, *options]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
        environment["PYTHONPATH"] = str(ROOT)
        process = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=environment
        )
        return Finished(process, log_dir)

    return run


@pytest.fixture(scope="module")
def broken_files(tmp_path_factory):
    """A folder with modules of the names of ours, which cannot be imported."""
    folder = tmp_path_factory.mktemp("broken")
    for name in ("tasks", "config", "hooks", "features", "data", "core", "runs", "loop", "report"):
        (folder / f"{name}.py").write_text("raise RuntimeError('not for the command')")
    return folder


@pytest.fixture(scope="module")
def flowers(type_command, broken_files):
    """A run in a folder of the user's, whose files disturb no command that does not name them."""
    return type_command("--task", "flowers", "--epochs", "3", "--seed", "5", folder=broken_files)


@pytest.fixture(scope="module")
def horses(type_command):
    return type_command("--task", "horses", "--epochs", "3")


@pytest.fixture(scope="module")
def dogs(type_command):
    return type_command("--task", "dogs", "--epochs", "3")


@pytest.fixture(scope="module")
def their_own(type_command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "my_things.py").write_text(THEIR_OWN)
    options = ("--task", "my_things:Cats", "--trainer", "my_things:MixupTrainer")
    return type_command(*options, folder=folder)


OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ("horses", "dogs")]
THEIRS = pytest.param("their_own", marks=pytest.mark.slow)


@pytest.mark.parametrize("run", ["flowers", THEIRS, *OTHERS])
def test_nothing_but_the_report_is_printed(run, request):
    finished = request.getfixturevalue(run)
    assert finished.stderr == ""
    assert finished.stdout.startswith("data: the built-in sample, 60 images of ")


@pytest.mark.parametrize("run", ["flowers", *OTHERS])
def test_even_a_few_pictures_teach_more_than_chance(run, request):
    finished = request.getfixturevalue(run)
    chance = 1 / len(finished.result["data"]["classes"])
    with (finished.folder / "history.csv").open() as history:
        *_, last_epoch = csv.DictReader(history)
    assert float(last_epoch["train_accuracy"]) > chance


def test_the_result_tells_what_was_run(flowers):
    result = flowers.result
    assert result["status"] == "done"
    assert result["task"] == "flowers"
    assert result["data"] == {
        "source": "sample",
        "name": "flowers",
        "version": "1.0.0",
        "classes": ["dandelion", "daisy", "tulips", "sunflowers", "roses"],
        "examples": {"train": 36, "validation": 12, "test": 12},
    }
    assert (result["extractor"], result["transfer"]) == ("efficientnet_lite0", "frozen")
    assert result["config"]["seed"] == 5


def test_the_result_tells_how_far_it_went(flowers):
    result = flowers.result
    assert (result["epochs"], result["steps"]) == (3, 6)
    assert result["best_step"] in (2, 4, 6)


def test_the_result_has_the_metrics_of_the_three_splits(flowers):
    metrics = flowers.result["metrics"]
    assert list(metrics) == ["train", "validation", "test"]
    assert all({"loss", "accuracy"} <= set(of_split) for of_split in metrics.values())


def test_the_result_tells_how_long_it_took(flowers):
    seconds = flowers.result["seconds"]
    assert list(seconds) == ["startup", "extract", "train", "evaluate", "report", "total"]
    assert all(value > 0 for value in seconds.values())
    assert flowers.result["extract_images_per_second"] > 0


def test_the_config_is_kept(flowers):
    config = json.loads((flowers.folder / "config.json").read_text())
    assert config == flowers.result["config"]


def test_the_history_has_a_row_an_epoch(flowers):
    with (flowers.folder / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]


FIGURES = {"confusion", "by_class", "thresholds", "reliability", "mistakes"}


def test_tensorboard_shows_the_figures_of_the_test_split_and_what_the_network_sees(flowers):
    def images(split: str) -> set[str]:
        events = EventAccumulator(str(flowers.folder / split))
        events.Reload()
        return {
            tag
            for tag in events.Tags()["tensors"]
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "images"
        }

    assert images("test") == FIGURES
    assert images("train") == {"inputs"}


def test_tensorboard_reads_the_same_tags_of_every_split(flowers):
    def tags(split: str) -> set[str]:
        events = EventAccumulator(str(flowers.folder / split))
        events.Reload()
        return set(events.Tags()["tensors"]) - {"inputs", *FIGURES}

    curves = {f"pr_curve/{name}" for name in flowers.result["data"]["classes"]}
    assert tags("validation") == tags("test") - curves == {"loss", "accuracy"}
    speeds = {"learning_rate", "gradient_norm", "images_per_second"}
    assert tags("train") == tags("validation") | speeds


def test_the_closing_lines_tell_what_to_type_next(flowers):
    last = flowers.stdout.splitlines()[-1]
    assert last.startswith("next: tensorboard --host localhost --logdir ")


@pytest.mark.slow
def test_a_second_run_passes_no_image_through_the_extractor(type_command, flowers):
    again = type_command("--task", "flowers", "--epochs", "3", "--seed", "5")
    assert again.result["extract_images_per_second"] is None
    assert again.result["weights_digest"] == flowers.result["weights_digest"]


@pytest.mark.slow
def test_features_larger_than_the_memory_end_with_the_same_weights(type_command, flowers):
    options = ("--task", "flowers", "--epochs", "3", "--seed", "5", "--feature-memory", "0")
    streamed = type_command(*options)
    assert "features: 0.0 GB are read from the disk" in streamed.stdout
    assert streamed.result["weights_digest"] == flowers.result["weights_digest"]


@pytest.mark.slow
def test_one_seed_ends_with_the_same_weights_to_the_bit(type_command, flowers, tmp_path):
    """With a cache of its own: the features are computed again too."""
    options = ("--task", "flowers", "--epochs", "3", "--seed", "5")
    again = type_command(*options, "--cache-dir", str(tmp_path))
    assert again.result["weights_digest"] == flowers.result["weights_digest"]
    assert again.result["metrics"] == flowers.result["metrics"]


@pytest.mark.slow
def test_horses_reports_what_is_asked_of_a_binary_classifier(horses):
    assert {"auc", "precision", "recall"} <= set(horses.result["metrics"]["test"])


@pytest.mark.slow
def test_dogs_reports_the_five_likeliest(dogs):
    assert (
        dogs.result["metrics"]["test"]["top_5_accuracy"]
        >= (dogs.result["metrics"]["test"]["accuracy"])
    )


@pytest.mark.slow
def test_a_task_of_ones_own_brings_its_defaults(their_own):
    assert their_own.result["config"]["image_size"] == 32
    assert their_own.folder.parent.name == "cats"


@pytest.mark.slow
def test_a_network_of_ones_own_learns_from_images(their_own):
    assert their_own.result["transfer"] == "scratch"
    assert their_own.result["extract_images_per_second"] is None


@pytest.mark.slow
def test_a_trainer_of_ones_own_steps_its_own_way(their_own):
    assert list(their_own.result["metrics"]["train"]) == ["loss", "accuracy"]
    assert list(their_own.result["metrics"]["test"]) == ["loss", "accuracy"]


def test_tensorboard_shows_every_tag_of_every_split(flowers):
    """The command that the closing lines give, asked over HTTP as a browser asks it."""
    tensorboard = subprocess.Popen(
        [Path(sys.executable).parent / "tensorboard", "--logdir", flowers.folder, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        [address] = next(filter(None, (re.findall(r"http://\S+", s) for s in tensorboard.stderr)))
        shown = _tags_by_run(address)
    finally:
        tensorboard.kill()
        tensorboard.communicate()
    speeds = {"learning_rate", "gradient_norm", "images_per_second"}
    assert {split: set(tags) for split, tags in shown.items()} == {
        "train": {"loss", "accuracy", *speeds},
        "validation": {"loss", "accuracy"},
        "test": {"loss", "accuracy"},
    }


def _tags_by_run(address: str) -> dict[str, list[str]]:
    """It tells its address before it serves, and reads the events after: asked until it has all."""
    tags = {}
    for _ in range(120):
        with (
            contextlib.suppress(urllib.error.URLError),
            urllib.request.urlopen(f"{address}data/plugin/timeseries/tags") as answer,
        ):
            tags = json.load(answer)["scalars"]["runTagInfo"]
        if len(tags) == 3:
            break
        time.sleep(0.25)
    return tags
