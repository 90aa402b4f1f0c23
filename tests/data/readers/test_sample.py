"""The built-in samples: read from the package like any dataset of TFDS, whole or in part."""

import collections
import hashlib
import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from trainer import samples
from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.json_cache import JsonCache
from trainer.data.readers.sample import sample_source
from trainer.samples import sample_names

EXAMPLES = 32


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return JsonCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def flowers(cache):
    return sample_source("flowers", None, cache)


@pytest.fixture(scope="module")
def part(cache):
    return sample_source("flowers", EXAMPLES, cache)


def images(split):
    return [encoded for encoded, _ in split.references().as_numpy_iterator()]


def fingerprints(source):
    return [split.fingerprint for split in source.splits.values()]


# What is in the package.


def test_there_are_six():
    assert sample_names() == ["digits", "dogs", "fashion", "flowers", "horses", "rendered_horses"]


def test_all_together_take_at_most_twenty_megabytes():
    files = [path for path in samples.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 20e6


@pytest.mark.parametrize("name", sample_names())
def test_every_class_has_as_many_pictures_as_any_other(name, cache):
    source = sample_source(name, None, cache)
    for split in source.splits.values():
        counts = np.bincount(split.labels(), minlength=len(source.classes))
        assert min(counts) >= 20
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("name", sample_names())
def test_no_picture_is_there_twice(name, cache):
    splits = sample_source(name, None, cache).splits.values()
    digests = [hashlib.sha256(image).digest() for split in splits for image in images(split)]
    assert len(set(digests)) == len(digests)


def test_flowers_are_colour_jpegs_of_several_sizes_about_240_pixels_a_side(part):
    opened = [Image.open(io.BytesIO(image)) for image in images(part.splits["train"])]
    assert {(image.format, image.mode) for image in opened} == {("JPEG", "RGB")}
    assert all(180 <= side <= 300 for image in opened for side in image.size)
    assert len({image.size for image in opened}) > 5


@pytest.mark.parametrize("name", ["digits", "fashion"])
def test_digits_and_garments_are_grey_and_as_large_as_those_of_mnist(name, cache):
    [image, *_] = images(sample_source(name, 50, cache).splits["test"])
    opened = Image.open(io.BytesIO(image))
    assert (opened.format, opened.mode, opened.size) == ("JPEG", "L", (28, 28))


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("flowers", "tf_flowers"),
        ("horses", "horses_or_humans"),
        ("rendered_horses", "horses_or_humans"),
        ("digits", "mnist"),
        ("fashion", "fashion_mnist"),
    ],
)
def test_the_classes_are_those_of_the_dataset_it_stands_in_for(name, dataset, cache):
    import tensorflow_datasets as tfds

    published = tfds.builder(dataset).info.features["label"].names
    assert list(sample_source(name, None, cache).classes) == published


# As a source.


def test_it_is_a_sample_with_a_name_and_a_version(flowers):
    assert (flowers.kind, flowers.name, flowers.version) == ("sample", "flowers", "1.0.0")


def test_three_fifths_train_and_one_fifth_each_validates_and_tests(flowers):
    assert flowers.examples == {"train": 600, "validation": 200, "test": 200}


def test_an_unknown_sample_is_refused_with_the_nearest_one(cache):
    with pytest.raises(UserError, match=r"no built-in sample 'flower'; did you mean flowers\?"):
        sample_source("flower", None, cache)


# The same everywhere.


@pytest.fixture
def cloned(tmp_path, monkeypatch):
    """The flowers of the package in another folder, their files of another time."""
    clone = tmp_path / "clone"
    shutil.copytree(samples.FOLDER / "flowers", clone / "flowers")
    for path in clone.rglob("*"):
        os.utime(path, ns=(1, 1))
    monkeypatch.setattr(samples, "FOLDER", clone)
    return clone


def test_its_fingerprints_are_the_same_in_every_clone(cloned, flowers, tmp_path):
    assert fingerprints(sample_source("flowers", None, JsonCache(tmp_path))) == fingerprints(
        flowers
    )


def test_its_fingerprints_change_with_its_pictures(cloned, flowers, tmp_path):
    [train] = cloned.rglob("*train.tfrecord*")
    train.write_bytes(train.read_bytes() + b"!")
    changed = fingerprints(sample_source("flowers", None, JsonCache(tmp_path)))
    assert not set(changed) & set(fingerprints(flowers))


def test_reading_it_writes_nothing_into_the_package(cloned, tmp_path):
    before = sorted(cloned.rglob("*"))
    source = sample_source("flowers", None, JsonCache(tmp_path))
    list(source.splits["test"].references())
    assert sorted(cloned.rglob("*")) == before


# A part of it.


def test_a_part_has_as_many_pictures_as_asked_for(part):
    assert part.examples == {"train": 20, "validation": 6, "test": 6}


@pytest.mark.parametrize("split", SPLITS)
def test_a_part_is_balanced_over_the_classes(part, split):
    counts = collections.Counter(part.splits[split].labels().tolist())
    assert len(counts) == len(part.classes)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("split", SPLITS)
def test_a_part_is_the_beginning_of_the_whole(part, flowers, split):
    beginning = images(part.splits[split])
    assert beginning == images(flowers.splits[split])[: len(beginning)]


@pytest.mark.parametrize("examples", [25, 1000])
def test_the_least_and_the_most_can_be_had(cache, examples):
    assert sum(sample_source("flowers", examples, cache).examples.values()) == examples


@pytest.mark.parametrize("examples", [24, 1001])
def test_too_few_or_too_many_are_refused_with_what_can_be_had(cache, examples):
    with pytest.raises(UserError) as refusal:
        sample_source("flowers", examples, cache)
    assert str(refusal.value) == (
        f"--sample-examples {examples:,}: the flowers sample has 1,000 pictures of 5 classes;"
        " choose from 25 to 1,000"
    )
