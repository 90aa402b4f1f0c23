"""One run, through the command, on so few pictures that it takes a moment."""

import csv
import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def dark_and_bright(tmp_path):
    """A folder of two classes that a straight line tells apart: 14 to train with, then 6, 6."""
    for split, count in {"train": 7, "valid": 3, "test": 3}.items():
        for name, shade in {"dark": 10, "bright": 200}.items():
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                colour = (shade + 5 * number, shade, shade + len(split))
                Image.new("RGB", (8, 8), colour).save(folder / f"{number}.png")
    return tmp_path / "pictures"


@pytest.fixture
def run(run_command, dark_and_bright, vector_module):
    """Two epochs of four steps; of an option that is given twice the last counts."""
    options = ["--data", dark_and_bright, "--extractor", vector_module, "--batch-size", 4]
    options += ["--jit", "off"]

    def command(*others):
        return run_command(*options, "--epochs", 2, "--learning-rate", 0.01, *others)

    return command


@pytest.fixture
def finished(run, tmp_path):
    """Runs to a good end; gives the run's folder and what its result.json says."""

    def command(*options):
        before = set(tmp_path.glob("logs/*/*"))
        done = run(*options)
        assert (done.code, done.err) == (0, "")
        [folder] = set(tmp_path.glob("logs/*/*")) - before
        return folder, json.loads((folder / "result.json").read_text())

    return command


def history(folder) -> list[dict[str, float]]:
    with (folder / "history.csv").open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


# Stopping.


def test_a_run_stops_in_the_epoch_in_which_its_target_is_reached(finished):
    folder, result = finished("--epochs", 500, "--stop-at", "loss<0.3")
    losses = [row["train_loss"] for row in history(folder)]
    assert losses[-1] < 0.3 <= min(losses[:-1])
    assert result["stopped"] == "--stop-at loss<0.3"
    assert (result["epochs"], result["steps"]) == (len(losses), 4 * len(losses))


def test_a_target_of_validation_stops_a_run(finished):
    folder, _ = finished("--epochs", 500, "--stop-at", "validation/loss<0.3", "loss<0.3")
    rows = [max(row["train_loss"], row["validation_loss"]) for row in history(folder)]
    assert rows[-1] < 0.3 <= min(rows[:-1])


def test_a_run_that_is_stopped_says_so_in_a_line(run):
    printed = run("--stop-at", "loss<100").out
    assert "\nstopped by --stop-at loss<100 in epoch 1, at step 4\n" in printed


def test_out_of_patience_a_run_has_the_weights_of_its_best_epoch(finished, dark_and_bright):
    """Validation is mislabelled, so that its first epoch is the best."""
    dark, bright = dark_and_bright / "valid" / "dark", dark_and_bright / "valid" / "bright"
    dark.rename(dark_and_bright / "aside")
    bright.rename(dark)
    (dark_and_bright / "aside").rename(bright)
    _, result = finished("--epochs", 99, "--patience", 3)
    assert (result["stopped"], result["steps"]) == ("--patience 3", result["best_step"] + 3 * 4)
    _, short = finished("--epochs", result["best_step"] // 4)
    assert result["weights_digest"] == short["weights_digest"]


def test_a_run_ends_when_its_minutes_are_over(finished):
    folder, result = finished("--epochs", 10**6, "--max-minutes", 0.01)
    assert result["stopped"] == "--max-minutes 0.01"
    assert history(folder)[-1]["step"] == result["steps"]
    assert 0.6 < result["seconds"]["train"] < 0.6 + 5


# Epochs, validation and checkpoints.


def test_an_epoch_is_as_many_steps_as_is_asked(finished):
    folder, result = finished("--steps-per-epoch", 3, "--epochs", 5)
    assert [row["step"] for row in history(folder)] == [3, 6, 9, 12, 15]
    assert (result["epochs"], result["steps"], result["stopped"]) == (5, 15, None)


@pytest.mark.parametrize("steps", [pytest.param(2, marks=pytest.mark.slow), 8])
def test_where_epochs_end_changes_no_weight(finished, steps):
    _, passes = finished("--epochs", 4)
    _, other = finished("--epochs", 16 // steps, "--steps-per-epoch", steps)
    assert other["weights_digest"] == passes["weights_digest"]


def test_a_validation_of_some_batches_changes_no_weight(finished):
    _, whole = finished("--batch-size", 2)
    _, part = finished("--batch-size", 2, "--validation-steps", 1)
    assert part["weights_digest"] == whole["weights_digest"]
    assert part["metrics"]["validation"] != whole["metrics"]["validation"]


def test_checkpoints_are_kept_between_epochs(finished):
    folder, _ = finished("--checkpoint-every", "3steps")
    kept = {path.name for path in (folder / "checkpoints").iterdir()}
    assert kept == {"step-3", "step-6", "step-8"}


# Seeing what it is.


def test_the_summary_shows_the_whole_network_before_training(run):
    printed = run("--summary").out
    rows = [line.split() for line in printed.partition("epoch 1")[0].splitlines()]
    assert ["layer", "output", "trainable", "frozen"] in rows
    assert rows[rows.index(["layer", "output", "trainable", "frozen"]) + 2][1:] == ["4", "0", "12"]
    assert ["in", "all", "3,586", "12"] in rows


def test_without_it_there_is_none(run):
    assert "trainable" not in run("--dry-run").out


def test_a_dry_run_leaves_no_run(run, tmp_path):
    done = run("--dry-run")
    assert (done.code, done.err) == (0, "")
    assert not (tmp_path / "logs").exists()


def test_a_dry_run_takes_one_step_and_says_that_it_was_one(run):
    lines = run("--dry-run").out.splitlines()
    assert [line[:18] for line in lines if line.startswith("epoch")] == ["epoch 1/2  step 1 "]
    assert lines[-1].startswith("dry run: everything is built, one step and a batch each of ")


def test_a_dry_run_passes_a_batch_of_each_split_through_the_extractor(
    run_command, class_folders, vector_module, tmp_path
):
    folder = class_folders({f"{s}/{c}": 9 for s in ("train", "valid", "test") for c in "ab"})
    options = ["--data", folder, "--extractor", vector_module, "--batch-size", 4]
    assert run_command(*options, "--dry-run").code == 0
    kept = tmp_path.glob("cache/features/*/*.labels.npy")
    assert [len(np.load(labels)) for labels in kept] == [4, 4, 4]


def test_a_dry_run_has_as_many_steps_before_it_as_the_whole_has(run):
    assert run("--dry-run", "--epochs", 1, "--warmup", "3steps").code == 0


def test_a_dry_run_tells_what_would_fail(run):
    done = run("--dry-run", "--stop-at", "f1>0.5")
    assert done.code == 2
    assert "train has no metric 'f1'" in done.err
