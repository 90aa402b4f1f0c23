"""The real data of ../shared, as a user has it."""

import pytest

from tasks.flowers import Flowers
from tasks.horses import Horses
from trainer.data.checks.audit import audit
from trainer.data.json_cache import JsonCache
from trainer.data.pipeline.batches import image_batches
from trainer.data.readers.folder import folder_source
from trainer.data.readers.tfds import is_prepared, tfds_source

FLOWERS = ("dandelion", "daisy", "tulips", "sunflowers", "roses")


@pytest.fixture(scope="module")
def data_dir(shared):
    return shared / "data" / "tfds"


@pytest.fixture(scope="module")
def flowers(data_dir):
    return tfds_source(Flowers.dataset, Flowers.splits, data_dir)


@pytest.fixture(scope="module")
def horses(data_dir):
    return tfds_source(Horses.dataset, Horses.splits, data_dir)


@pytest.fixture(scope="module")
def dogs(shared):
    return folder_source(shared / "data" / "dogImages")


@pytest.mark.parametrize("task", [Flowers, Horses])
def test_the_datasets_are_prepared(data_dir, task):
    assert is_prepared(task.dataset, data_dir)


def test_flowers_are_3670_in_two_halves_of_one(flowers):
    assert flowers.examples == {"train": 1835, "validation": 917, "test": 918}


def test_flowers_are_of_five_kinds(flowers):
    assert flowers.classes == FLOWERS


def test_horses_and_humans_are_1283(horses):
    assert horses.examples == {"train": 822, "validation": 205, "test": 256}


def test_horses_and_humans_are_two_classes(horses):
    assert horses.classes == ("horses", "humans")


def test_dogs_are_of_64_breeds(dogs):
    assert len(dogs.classes) == 64


def test_dogs_are_as_many_as_their_folders_hold(dogs):
    assert dogs.examples == {"train": 1920, "validation": 512, "test": 512}


@pytest.mark.parametrize("name", ["flowers", "horses", "dogs"])
def test_photos_fill_a_batch_with_what_is_not_black(request, name):
    split = request.getfixturevalue(name).splits["test"]
    images, _ = next(iter(image_batches(split, 32, 32)))
    assert (images.numpy().max(axis=(1, 2, 3)) > 0.1).all()


# What is wrong with them.


@pytest.fixture
def look(tmp_path):
    return lambda source: audit(source, JsonCache(tmp_path)).as_json()


def test_two_flowers_are_in_two_splits_and_one_has_two_names(look, flowers):
    found = look(flowers)
    assert found["identical_across_splits"]["images"] == 2
    [group] = found["identical_under_two_labels"]["groups"]
    assert {place["class"] for place in group} == {"tulips", "roses"}


@pytest.mark.parametrize("name", ["horses", "dogs"])
def test_nothing_is_wrong_with_the_others(look, name, request):
    found = look(request.getfixturevalue(name))
    assert found["identical_across_splits"]["images"] == 0
    assert found["identical_under_two_labels"]["images"] == 0
    assert (found["missing_classes"], found["imbalance"]) == ({}, None)
