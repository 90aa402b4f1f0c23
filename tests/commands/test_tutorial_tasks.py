"""The tasks of the tutorials, as a user types them, on parts of the samples."""

import dataclasses
import json

import numpy as np
import pytest

import trainer
from trainer.checkpoints.warm_start import CheckpointReader
from trainer.setup.plugins import find_task

SMALL = ("--data", "sample", "--sample-examples", 100, "--epochs", 1, "--jit", "off")


@pytest.fixture
def type_command(run_command, tmp_path):
    """Runs the command; gives what it printed and the folder of its run."""

    def run(task, *options):
        done = run_command("--task", task, *options)
        assert done.code == 0, done.err
        return done.out, max((tmp_path / "logs" / task).iterdir())

    return run


def result(folder):
    return json.loads((folder / "result.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("task", ["fashion", "digits"])
def test_a_task_on_grey_pictures_trains_from_nothing(type_command, task):
    _, folder = type_command(task, *SMALL)
    assert result(folder)["transfer"] == "scratch"
    assert result(folder)["config"]["image_size"] == 28


def test_horses_cnn_trains_from_nothing_in_a_folder_of_its_own_name(type_command):
    _, folder = type_command("horses-cnn", *SMALL, "--image-size", 40)
    assert folder.parent.name == "horses-cnn"
    assert {"accuracy", "auc"} <= set(result(folder)["metrics"]["test"])


@pytest.mark.slow
def test_digits01_learns_two_digits_of_the_ten(type_command):
    out, folder = type_command("digits01", *SMALL)
    assert "20 images of 2 classes" in out
    assert result(folder)["data"]["classes"] == ["0", "1"]
    assert result(folder)["data"]["examples"] == {"train": 12, "validation": 4, "test": 4}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The folder of a run of digits."""
    folder = tmp_path_factory.mktemp("digits")
    small = {"data": "sample", "sample_examples": 100, "epochs": 1, "jit": "off"}
    folders = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
    task = find_task("digits")
    return trainer.train(task, dataclasses.replace(task.defaults, **small, **folders)).folder


def test_digits01_starts_from_the_hidden_layers_of_a_run_of_digits(type_command, digits):
    out, folder = type_command("digits01", *SMALL, "--init-from", digits)
    line = f"weights: from {digits}: hidden_1 (frozen), hidden_2 (frozen); initialized: logits"
    assert line in out.splitlines()
    ours, theirs = CheckpointReader(folder), CheckpointReader(digits)
    for name in ("hidden_1/kernel", "hidden_1/bias", "hidden_2/kernel", "hidden_2/bias"):
        np.testing.assert_array_equal(ours.value(name), theirs.value(name))


@pytest.mark.slow
def test_fashion_stops_in_the_epoch_in_which_it_reaches_its_target(type_command):
    options = ("--data", "sample", "--sample-examples", 200, "--stop-at", "accuracy>=0.5")
    _, folder = type_command("fashion", *options)
    ended = result(folder)
    assert ended["epochs"] < ended["config"]["epochs"]
    assert ended["metrics"]["train"]["accuracy"] >= 0.5


# Mistakes.


@pytest.fixture
def refused(run_command, tmp_path):
    """Runs the command; gives its one line of error, without "error: "."""

    def run(*options):
        runs = list(tmp_path.glob("logs/*/*"))
        done = run_command(*options)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert list(tmp_path.glob("logs/*/*")) == runs
        return done.err.removeprefix("error: ").rstrip("\n")

    return run


def test_a_run_to_begin_from_that_does_not_exist(refused, tmp_path):
    told = refused("--task", "digits01", *SMALL, "--init-from", tmp_path / "none")
    assert told.startswith(f"--init-from {tmp_path / 'none'}: there is no checkpoint in ")


def test_a_run_to_begin_from_of_another_network(refused, digits):
    told = refused("--task", "fashion", *SMALL, "--init-from", digits)
    assert told.startswith(f"--init-from {digits}: none of its layers (hidden_1, hidden_2, logits)")


def test_data_without_the_classes_that_a_task_learns(refused, cats_and_dogs):
    told = refused("--task", "digits01", "--data", cats_and_dogs)
    assert told.endswith("has no class '0', which the task needs; it has cat, dog")


def test_a_head_for_images_over_an_extractor(refused, vector_module):
    told = refused("--task", "fashion", *SMALL, "--extractor", vector_module, "--image-size", 8)
    assert told.startswith("the head of fashion cannot take inputs (32, 4); if it takes images, ")
