"""Fine-tuning over cached activations of what is frozen, through the commands and on tiny data."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from trainer import command_line, evaluate, export, predict


@pytest.fixture
def train(run_command, cats_and_dogs, module_in_parts, tmp_path):
    """Fine-tunes the upper part of a tiny module; returns the result and the run's folder."""
    cut = ("--extractor", module_in_parts, "--transfer", "finetune", "--unfreeze-from", "low")
    small = ("--image-size", 8, "--batch-size", 8, "--epochs", 2, "--jit", "off")

    def run(*options):
        learns = ("--finetune-learning-rate", 0.01, "--warmup-epochs", 0)
        outcome = run_command("--data", cats_and_dogs, *cut, *small, *learns, *options)
        assert outcome.code == 0, outcome.err
        newest = max(tmp_path.glob("logs/*/*/result.json"), key=lambda p: p.stat().st_mtime_ns)
        return json.loads(newest.read_text()), newest.parent

    return run


def cached(tmp_path):
    return [np.load(path) for path in tmp_path.glob("cache/features/*/*.vectors.npy")]


def command(main, *arguments):
    return command_line.exit_code(main, [*map(str, arguments)])


def test_the_activations_at_the_cut_are_cached(train, tmp_path):
    train()
    assert {(array.shape[1:], array.dtype) for array in cached(tmp_path)} == {
        ((8, 8, 4), np.dtype("float32"))
    }


def test_a_second_run_extracts_nothing(train):
    first, second = (train()[0]["extract_images_per_second"] for _ in range(2))
    assert first is not None
    assert second is None


@pytest.mark.slow
def test_float16_takes_half_of_the_cache(train, tmp_path):
    train("--feature-dtype", "float16")
    assert {array.dtype for array in cached(tmp_path)} == {np.dtype("float16")}


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_bits(train, run_command):
    constant = ("--schedule", "constant")  # a cosine ends with the epochs that are asked for first
    whole, _ = train(*constant)
    begun, folder = train(*constant, "--epochs", 1, "--run-name", "begun")
    assert run_command("--resume", folder, "--epochs", 2).code == 0
    resumed = json.loads((folder / "result.json").read_text())
    assert resumed["weights_digest"] == whole["weights_digest"] != begun["weights_digest"]


AUGMENTED = {
    "in every epoch": ("--augment", "light"),
    "copies that are cached": ("--augment", "light", "--augment-copies", 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", AUGMENTED)
def test_it_learns_from_augmented_images(train, kind):
    assert train(*AUGMENTED[kind])[0]["transfer"] == "finetune"


@pytest.mark.parametrize(
    "options",
    [(), pytest.param(("--augment", "light"), marks=pytest.mark.slow)],
    ids=["cached", "augmented"],
)
def test_evaluate_measures_the_joined_network_as_training_did(train, options, capfd):
    result, folder = train(*options)
    capfd.readouterr()
    assert command(evaluate.main, folder, "--json") == 0
    measured = json.loads(capfd.readouterr().out)
    assert measured["metrics"]["loss"] == pytest.approx(result["metrics"]["test"]["loss"], rel=1e-4)


@pytest.mark.slow
def test_an_export_has_both_parts(train, tmp_path, capfd):
    _, folder = train()
    assert command(export.main, folder, tmp_path / "exported") == 0, capfd.readouterr().err


@pytest.mark.slow
def test_predict_takes_images(train, cats_and_dogs, capfd):
    _, folder = train()
    images = sorted(cats_and_dogs.rglob("*.png"))[:2]
    capfd.readouterr()
    assert command(predict.main, folder, *images) == 0


OPTIONS = {
    "lower learning rates for lower blocks": ("--layer-decay", 0.5),
    "one block after another": ("--unfreeze-gradually",),
    "batch norms that learn": ("--batch-norm", "learn"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_fine_tuning_changes_what_is_learned(train, name):
    plain, changed = train()[0], train(*OPTIONS[name])[0]
    assert changed["weights_digest"] != plain["weights_digest"]


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--augment", "light")], ids=["cached", "augmented"])
def test_on_two_devices_the_upper_part_learns_as_on_one(
    cats_and_dogs, module_in_parts, tmp_path, checkout, options
):
    """In processes of their own: one process has one strategy."""
    cut = ("--extractor", module_in_parts, "--transfer", "finetune", "--unfreeze-from", "low")
    small = ("--image-size", 8, "--batch-size", 8, "--epochs", 3, "--warmup-epochs", 0)
    where = ("--log-dir", tmp_path / "logs", "--cache-dir", tmp_path / "cache", "--no-report")

    def losses(name, *strategy):
        given = ("--task", "folder", "--data", cats_and_dogs, *cut, *small, *where, *options)
        learns = ("--finetune-learning-rate", 0.01, "--run-name", name, *strategy)
        command = [sys.executable, "-m", "trainer.run", *map(str, (*given, *learns))]
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        table = (tmp_path / "logs" / "folder" / name / "history.csv").read_text()
        return [float(row["train_loss"]) for row in csv.DictReader(io.StringIO(table))]

    two = losses("two", "--strategy", "mirrored", "--devices", 2)
    assert two == pytest.approx(losses("one"), abs=1e-4)
    assert two[-1] < two[0]
