"""What TFDS reports about a dataset is cached until one of its files changes."""

import os
import shutil
import sys

import numpy as np
import pytest

from trainer.core.hashing import fingerprint
from trainer.data.json_cache import JsonCache
from trainer.data.readers.tfds import dataset_files, tfds_source
from trainer.data.readers.tfds_cache import cached_source, open_and_cache

SPLITS = {"train": "train[:50%]", "validation": "train[50%:75%]", "test": "train[75%:]"}


@pytest.fixture
def place(tiny_dataset, prepared, tmp_path):
    """A dataset that was opened once: its data_dir, and the cache."""
    data_dir, cache = tmp_path / "tfds", JsonCache(tmp_path / "cache")
    shutil.copytree(prepared, data_dir)
    open_and_cache(tiny_dataset, SPLITS, data_dir, cache)
    return data_dir, cache


def test_a_dataset_that_was_never_opened_is_not_cached(tiny_dataset, prepared, tmp_path):
    assert cached_source(tiny_dataset, SPLITS, prepared, JsonCache(tmp_path)) is None


def test_a_cached_source_equals_that_of_tfds(tiny_dataset, place):
    opened = tfds_source(tiny_dataset, SPLITS, place[0])
    cached = cached_source(tiny_dataset, SPLITS, *place)
    for name in ("kind", "name", "version", "classes", "examples"):
        assert getattr(cached, name) == getattr(opened, name)


def test_cached_splits_have_the_same_fingerprints(tiny_dataset, place):
    opened = tfds_source(tiny_dataset, SPLITS, place[0])
    cached = cached_source(tiny_dataset, SPLITS, *place)
    for name in SPLITS:
        assert cached.splits[name].fingerprint == opened.splits[name].fingerprint


def test_images_of_a_cached_source_are_read_by_tfds(tiny_dataset, place):
    opened = tfds_source(tiny_dataset, SPLITS, place[0]).splits["test"].references()
    cached = cached_source(tiny_dataset, SPLITS, *place).splits["test"].references()
    assert list(cached.as_numpy_iterator()) == list(opened.as_numpy_iterator())


def test_other_splits_are_not_cached(tiny_dataset, place):
    assert cached_source(tiny_dataset, {**SPLITS, "test": "train[90%:]"}, *place) is None


def test_splits_that_the_dataset_lacks_are_cached_too(tiny_dataset, place):
    opened = open_and_cache(tiny_dataset, None, *place)
    cached = cached_source(tiny_dataset, None, *place)
    assert (cached.examples, cached.cut) == (opened.examples, opened.cut)


def test_a_dataset_with_a_changed_file_is_not_cached(tiny_dataset, place):
    path = next(place[0].rglob("*.tfrecord*"))
    os.utime(path, (1, 1))
    assert cached_source(tiny_dataset, SPLITS, *place) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "1.0.0"}'])
def test_a_damaged_cache_is_ignored(tiny_dataset, place, content):
    [path] = place[1].folder.iterdir()
    path.write_text(content)
    assert cached_source(tiny_dataset, SPLITS, *place) is None


# Labels of other kinds.

OUTPUTS = {"size": "numbers", "kind": "class", "tags": "labels", "pose": "numbers"}
KINDS = [
    ("mixed", "class"),
    ("mixed", "labels"),
    ("sized", "numbers"),
    ("posed", "numbers"),
    ("mixed", OUTPUTS),
]


@pytest.mark.parametrize(("name", "kinds"), KINDS)
def test_a_cached_source_equals_that_of_tfds_for_each_kind(label_datasets, tmp_path, name, kinds):
    where = name, None, label_datasets, JsonCache(tmp_path), kinds
    opened, cached = open_and_cache(*where), cached_source(*where)
    for about in ("classes", "label_kind", "version", "examples", "cut"):
        assert getattr(cached, about) == getattr(opened, about)
    for split, of_tfds in opened.splits.items():
        assert cached.splits[split].label_spec == of_tfds.label_spec
        assert cached.splits[split].fingerprint == of_tfds.fingerprint
        np.testing.assert_array_equal(cached.splits[split].labels(), of_tfds.labels())


@pytest.mark.parametrize(("name", "kinds"), KINDS)
def test_a_cached_source_needs_no_tfds_until_an_image_is_read(
    label_datasets, tmp_path, monkeypatch, name, kinds
):
    where = name, None, label_datasets, JsonCache(tmp_path), kinds
    opened = open_and_cache(*where)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)  # cannot be imported
    cached = cached_source(*where)
    assert cached.classes == opened.classes
    assert cached.splits["test"].label_spec == opened.splits["test"].label_spec


def test_a_dataset_that_was_opened_for_one_kind_is_not_cached_for_another(label_datasets, tmp_path):
    where = "mixed", None, label_datasets, JsonCache(tmp_path)
    for kinds in ("class", "labels", OUTPUTS):
        assert cached_source(*where, kinds) is None
        open_and_cache(*where, kinds)
    assert cached_source(*where, {"size": "numbers"}) is None


def test_the_key_for_classes_has_nothing_of_the_kind(tiny_dataset, place):
    """What was cached before there were other kinds is found."""
    data_dir, cache = place
    key = [tiny_dataset, SPLITS, dataset_files(tiny_dataset, data_dir)]
    assert [path.stem for path in cache.folder.iterdir()] == [fingerprint(key)]
