"""`python -m trainer.review`, on noise of three tints with mistakes planted in it."""

import csv
import hashlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from trainer import command_line, review, run


@pytest.fixture(scope="module")
def pixel_module(tmp_path_factory):
    """A module whose features are the pixels of 8x8 images, around 0."""
    import tensorflow as tf

    class Pixels(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])])
        def __call__(self, images):
            return tf.reshape(images - 0.5, [-1, 192])

    folder = tmp_path_factory.mktemp("pixels")
    tf.saved_model.save(Pixels(), str(folder))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory, noise_folder):
    """The noise with a near-duplicate across splits, a wrong label, and a drawing."""
    folder = tmp_path_factory.mktemp("mistakes") / "noise"
    shutil.copytree(noise_folder, folder)
    pixels = np.asarray(Image.open(folder / "train/cyan/3.png"))
    Image.fromarray(np.clip(pixels.astype(int) + 6, 0, 255).astype(np.uint8)).save(
        folder / "test/cyan/copy.png"
    )
    (folder / "train/cyan/5.png").rename(folder / "train/yellow/wrong.png")
    drawing = np.kron(np.eye(2), np.full([4, 4], 255)).astype(np.uint8)
    Image.fromarray(np.stack([drawing] * 3, axis=-1)).save(folder / "train/magenta/drawing.png")
    return folder


@pytest.fixture(scope="module")
def digests(folder):
    return digests_of(folder)


def digests_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def where(tmp_path_factory, pixel_module):
    cache = tmp_path_factory.mktemp("cache")
    return ["--extractor", str(pixel_module), "--cache-dir", str(cache)]


@pytest.fixture
def command(capfd):
    def command(*options, main=review.main):
        capfd.readouterr()
        code = command_line.exit_code(main, [*map(str, options)])
        return code, *capfd.readouterr()

    return command


@pytest.fixture
def findings(folder, digests, where, command, tmp_path):
    code, *_ = command("--data", folder, "--out", tmp_path / "out", *where)
    assert code == 0
    with (tmp_path / "out" / "review.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_planted_mistakes_are_found(findings, folder):
    [pair] = [row for row in findings if row["finding"] == "near-duplicate"]
    assert (pair["image"], pair["other"]) == (
        str(folder / "train/cyan/3.png"),
        str(folder / "test/cyan/copy.png"),
    )
    assert (pair["split"], pair["other_split"]) == ("train", "test")
    wrong = {r["image"]: (r["label"], r["suggestion"]) for r in findings if r["finding"] == "label"}
    assert wrong[str(folder / "train/yellow/wrong.png")] == ("yellow", "cyan")
    odd = [row["image"] for row in findings if row["finding"] == "odd"]
    assert odd[0] == str(folder / "train/magenta/drawing.png")


def test_nothing_of_the_data_is_changed(findings, folder, digests):
    assert digests_of(folder) == digests


def test_the_page_shows_the_images_and_what_was_found(findings, tmp_path):
    page = (tmp_path / "out" / "review.html").read_text()
    assert "yellow, or cyan?" in page
    assert page.count("data:image/jpeg") >= 4
    assert "http" not in page.replace("http://www.w3.org", "")


def test_json_counts_what_was_found(folder, where, command, tmp_path):
    code, out, _ = command("--data", folder, "--out", tmp_path, *where, "--json")
    found = json.loads(out)
    assert (code, found["findings"]["near-duplicates across splits"]) == (0, 1)
    assert found["csv"] == str(tmp_path / "review.csv")


def test_the_data_of_a_run_are_reviewed_into_its_folder(folder, where, command, tmp_path):
    logs = ("--log-dir", tmp_path / "logs")
    trained = ("--task", "folder", "--data", folder, "--epochs", 1, "--jit", "off", *logs, *where)
    assert command(*trained, main=run.main)[0] == 0
    code, out, err = command("last", *logs)
    assert (code, err) == (0, "")
    [page] = tmp_path.glob("logs/*/*/review.html")
    assert "yellow, or cyan?" in page.read_text()
    assert "extracting" not in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either a run or --data"),
        (("last", "--data", "x"), "give either a run or --data"),
        (("--data", "x", "--similarity", "2"), "--similarity must be above 0 and at most 1, not 2"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_a_mistake_is_one_line(options, message, command):
    code, _, err = command(*options)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_without_cleanlab_it_says_what_to_install(folder, where, command, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cleanlab", None)
    code, _, err = command("--data", folder, "--out", tmp_path / "out", *where)
    assert (code, not (tmp_path / "out").exists()) == (2, True)
    assert "pip install 'tf-trainer[review]'" in err
