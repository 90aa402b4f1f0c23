"""Any folder and any TFDS dataset, through the command."""

import json
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds

from trainer.data import SPLITS


@pytest.fixture
def trained(run_command, tmp_path, vector_module):
    """Runs the command with a quick extractor; returns what it printed, and its result."""

    def run(*options):
        quick = ["--extractor", vector_module, "--epochs", 1, "--jit", "off"]
        done = run_command(*quick, *options)
        assert (done.code, done.err) == (0, "")
        newest = max(tmp_path.glob("logs/*/*/result.json"), key=lambda p: p.stat().st_mtime_ns)
        return done.out, json.loads(newest.read_text())

    return run


@pytest.fixture
def animals(class_folders):
    """Three classes, of 20, 7 and 3 pictures."""
    return class_folders({"ant": 20, "bee": 7, "cat": 3})


# A folder.


def test_a_folder_without_splits_is_divided_class_by_class(trained, animals):
    out, result = trained("--task", "folder", "--data", animals)
    assert result["data"]["classes"] == ["ant", "bee", "cat"]
    assert result["data"]["examples"] == {"train": 20, "validation": 5, "test": 5}
    assert ", cut 70/15/15 into train, validation and test\n" in out


def test_copies_are_never_in_two_splits(trained, animals):
    for file in list(animals.glob("*/*")):
        for number in range(4):
            shutil.copy(file, file.with_name(f"{number}-{file.name}"))
    _, result = trained("--task", "folder", "--data", animals)
    assert result["data"]["examples"] == {"train": 100, "validation": 25, "test": 25}


@pytest.mark.slow
def test_renamed_files_change_no_bit_of_the_trained_weights(trained, animals):
    _, before = trained("--task", "folder", "--data", animals)
    for number, file in enumerate(sorted(animals.glob("*/*"), reverse=True)):
        file.rename(file.with_name(f"{number:03}-renamed"))
    _, after = trained("--task", "folder", "--data", animals)
    assert after["weights_digest"] == before["weights_digest"]
    assert after["metrics"] == before["metrics"]


@pytest.mark.slow
def test_a_folder_is_divided_in_the_same_way_for_every_task(trained, animals):
    _, result = trained("--task", "dogs", "--data", animals)
    assert result["data"]["examples"] == {"train": 20, "validation": 5, "test": 5}


def test_a_folder_with_splits_keeps_them(trained, class_folders):
    names = ("train", "valid", "test")
    folder = class_folders({f"{split}/{x}": 2 for split in names for x in "ab"})
    out, result = trained("--task", "folder", "--data", folder)
    assert result["data"]["examples"] == dict.fromkeys(SPLITS, 4)
    assert "cut" not in out.splitlines()[0].removeprefix(f"data: the folder {folder}")


@pytest.mark.slow
def test_a_folder_without_validation_has_it_cut_from_train(trained, class_folders):
    folder = class_folders({f"{split}/{x}": 20 for split in ("train", "test") for x in "ab"})
    out, result = trained("--task", "folder", "--data", folder)
    assert result["data"]["examples"] == {"train": 34, "validation": 6, "test": 40}
    assert ", validation cut from train (15 %)\n" in out


# A dataset of TFDS.


@pytest.fixture
def cifar(tmp_path):
    """A data_dir with a few images as cifar100, whose examples have two labels."""

    def example(number):
        pixels = np.full([32, 32, 3], 4 * number, np.uint8)
        return {"id": f"{number}", "image": pixels, "label": number % 100, "coarse_label": 19}

    builder = tfds.builder("cifar100", data_dir=tmp_path / "tfds")
    tfds.dataset_builders.store_as_tfds_dataset(
        name="cifar100",
        version=builder.version,
        features=builder.info.features,
        split_datasets={
            "train": [(number, example(number)) for number in range(40)],
            "test": [(number, example(number)) for number in range(40, 50)],
        },
        data_dir=tmp_path / "tfds",
    )
    return tmp_path / "tfds"


def test_any_dataset_is_trained_on_with_its_own_splits(trained, cifar, tmp_path):
    out, result = trained("--task", "tfds:cifar100", "--data-dir", cifar)
    assert result["data"]["examples"] == {"train": 34, "validation": 6, "test": 10}
    assert ", 50 images of 100 classes, validation cut from train (15 %)\n" in out
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["tfds-cifar100"]


@pytest.mark.slow
def test_a_second_run_opens_no_dataset(trained, cifar, monkeypatch):
    trained("--task", "tfds:cifar100", "--data-dir", cifar)
    monkeypatch.setattr(tfds, "builder", None)
    _, result = trained("--task", "tfds:cifar100", "--data-dir", cifar)
    assert result["extract_images_per_second"] is None
