"""What TFDS told of a dataset is kept as long as no file of it changes."""

import os
import shutil

import pytest

from trainer.data.readers.tfds import tfds_source
from trainer.data.readers.tfds_cache import cached_source, remember

SPLITS = {"train": "train[:50%]", "validation": "train[50%:75%]", "test": "train[75%:]"}


@pytest.fixture
def place(tiny_dataset, prepared, tmp_path):
    """A dataset that was opened once and remembered."""
    data_dir, memory = tmp_path / "tfds", tmp_path / "memory"
    shutil.copytree(prepared, data_dir)
    remember(tfds_source(tiny_dataset, SPLITS, data_dir), SPLITS, data_dir, memory)
    return data_dir, memory


def test_what_was_never_opened_is_not_remembered(tiny_dataset, prepared, tmp_path):
    assert cached_source(tiny_dataset, SPLITS, prepared, tmp_path) is None


def test_a_remembered_source_tells_what_tfds_told(tiny_dataset, place):
    told = tfds_source(tiny_dataset, SPLITS, place[0])
    remembered = cached_source(tiny_dataset, SPLITS, *place)
    for name in ("kind", "name", "version", "classes", "examples"):
        assert getattr(remembered, name) == getattr(told, name)


def test_its_splits_have_the_same_fingerprints(tiny_dataset, place):
    told = tfds_source(tiny_dataset, SPLITS, place[0])
    remembered = cached_source(tiny_dataset, SPLITS, *place)
    for name in SPLITS:
        assert remembered.splits[name].fingerprint == told.splits[name].fingerprint


def test_its_images_are_read_when_they_are_wanted(tiny_dataset, place):
    told = tfds_source(tiny_dataset, SPLITS, place[0]).splits["test"].references()
    remembered = cached_source(tiny_dataset, SPLITS, *place).splits["test"].references()
    assert list(remembered.as_numpy_iterator()) == list(told.as_numpy_iterator())


def test_other_splits_are_not_remembered(tiny_dataset, place):
    assert cached_source(tiny_dataset, {**SPLITS, "test": "train[90%:]"}, *place) is None


def test_splits_that_the_dataset_lacks_are_remembered_too(tiny_dataset, place):
    told = tfds_source(tiny_dataset, None, place[0])
    remember(told, None, *place)
    remembered = cached_source(tiny_dataset, None, *place)
    assert (remembered.examples, remembered.cut) == (told.examples, told.cut)


def test_a_changed_file_is_forgotten(tiny_dataset, place):
    path = next(place[0].rglob("*.tfrecord*"))
    os.utime(path, (1, 1))
    assert cached_source(tiny_dataset, SPLITS, *place) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "1.0.0"}'])
def test_a_damaged_memory_is_forgotten(tiny_dataset, place, content):
    [path] = place[1].iterdir()
    path.write_text(content)
    assert cached_source(tiny_dataset, SPLITS, *place) is None
