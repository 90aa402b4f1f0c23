"""The audit of a source: duplicates, missing classes, class imbalance."""

import dataclasses
import json
import shutil

import pytest
import tensorflow as tf

from trainer.data.checks.audit import audit
from trainer.data.json_cache import JsonCache
from trainer.data.readers.folder import folder_source
from trainer.data.readers.sample import sample_source
from trainer.data.readers.tfds import tfds_source
from trainer.data.selection import filter_classes

PETS = {f"{split}/{name}": 2 for split in ("train", "valid", "test") for name in ("cat", "dog")}


@pytest.fixture
def pets(class_folders):
    """A folder of two classes in three splits, without any fault."""
    return class_folders(PETS)


@pytest.fixture
def look(tmp_path):
    """Audits a folder or a source, with a cache of the test."""

    def audited(data):
        source = data if dataclasses.is_dataclass(data) else folder_source(data)
        return audit(source, JsonCache(tmp_path / "cache"))

    return audited


@pytest.fixture
def copied(pets):
    """Copies the first picture of a class folder into another, as copy.png."""

    def copy(from_folder, to_folder):
        original = min((pets / from_folder).iterdir())
        shutil.copy(original, pets / to_folder / "copy.png")
        return original, pets / to_folder / "copy.png"

    return copy


# Good data.


def test_good_data_give_no_warning(look, pets):
    assert look(pets).warnings() == []


def test_the_result_of_good_data_is_empty(look, pets):
    assert look(pets).as_json() == {
        "identical_across_splits": {"images": 0, "groups": []},
        "identical_under_two_labels": {"images": 0, "groups": []},
        "missing_classes": {},
        "imbalance": None,
    }


def test_a_built_in_sample_is_good(look, tmp_path):
    assert look(sample_source("digits", 200, JsonCache(tmp_path))).warnings() == []


def test_a_folder_that_was_cut_has_no_leakage(look, class_folders):
    folder = class_folders({"cat": 10, "dog": 10})
    for path in list(folder.glob("*/*")):
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
    assert look(folder).warnings() == []


# Duplicates.


def test_an_image_in_two_splits_is_named_at_both_places(look, copied):
    original, copy = copied("train/cat", "test/cat")
    [line] = look(original.parents[2]).warnings()
    assert line == (
        f"1 image is in more than one split, the same bytes at {original} (cat, train) and"
        f" {copy} (cat, test): data leakage, which makes metrics look better than they are;"
        " keep each in one split (result.json lists them)"
    )


def test_an_image_under_two_labels_is_named_at_both_places(look, copied):
    original, copy = copied("train/cat", "train/dog")
    [line] = look(original.parents[2]).warnings()
    assert line == (
        f"1 image is under more than one label, the same bytes at {original} (cat, train)"
        f" and {copy} (dog, train): keep the right one (result.json lists them)"
    )


def test_the_result_lists_every_place(look, copied):
    original, copy = copied("valid/cat", "test/dog")
    found = look(original.parents[2]).as_json()
    group = [
        {"split": "validation", "class": "cat", "image": str(original)},
        {"split": "test", "class": "dog", "image": str(copy)},
    ]
    assert found["identical_across_splits"] == {"images": 1, "groups": [group]}
    assert found["identical_under_two_labels"] == {"images": 1, "groups": [group]}


def test_only_the_chosen_classes_are_audited(look, copied):
    original, _ = copied("train/cat", "train/dog")
    source = filter_classes(folder_source(original.parents[2]), ("dog", "cat"))
    [group] = look(source).as_json()["identical_under_two_labels"]["groups"]
    assert [place["class"] for place in group] == ["cat", "dog"]


def test_an_example_of_tfds_is_named_by_its_split_and_position(look, tiny_dataset, prepared):
    overlapping = {"train": "train", "validation": "train[:1]", "test": "train[1:3]"}
    found = look(tfds_source(tiny_dataset, overlapping, prepared)).as_json()
    assert found["identical_across_splits"]["images"] == 3
    names = [place["image"] for place in found["identical_across_splits"]["groups"][0]]
    assert names == ["example 0 of tiny_pictures train", "example 0 of tiny_pictures train[:1]"]


# Classes.


def test_a_class_that_a_split_lacks_is_named(look, pets):
    shutil.rmtree(pets / "valid" / "dog")
    found = look(pets)
    assert found.as_json()["missing_classes"] == {"validation": ["dog"]}
    assert found.warnings() == [
        "validation has no image of dog, so nothing is measured there; add some"
    ]


def test_a_class_that_is_never_trained_on_is_named(look, pets):
    shutil.rmtree(pets / "train" / "dog")
    assert look(pets).warnings() == [
        "train has no image of dog, so nothing is learned there; add some"
    ]


def test_of_many_missing_classes_the_first_are_named(look, class_folders):
    counts = {f"train/{name}": 1 for name in "abcdef"}
    found = look(class_folders({**counts, "valid/a": 1, "test/a": 1}))
    assert "no image of b, c, d and 2 more, so nothing is measured" in found.warnings()[0]
    assert found.as_json()["missing_classes"]["test"] == list("bcdef")


@pytest.mark.parametrize(("cats", "ratio"), [(9, None), (10, 10.0), (25, 25.0)])
def test_a_ratio_of_ten_counts_as_imbalance(look, class_folders, cats, ratio):
    found = look(class_folders({**PETS, "train/cat": cats, "train/dog": 1}))
    assert found.as_json()["imbalance"] == ratio
    assert len(found.warnings()) == bool(ratio)


def test_an_imbalance_warning_names_the_largest_and_the_smallest_class(look, class_folders):
    [line] = look(class_folders({**PETS, "train/cat": 20, "train/dog": 2})).warnings()
    assert line == (
        "train has 20 images of cat and 2 of dog: accuracy hides errors in rare classes;"
        " add images of them, or choose --class-weights balanced or --sampling balanced"
    )


def test_with_class_weights_there_is_no_imbalance_warning(look, class_folders):
    found = look(class_folders({**PETS, "train/cat": 20, "train/dog": 2}))
    assert (found.warnings(is_balanced=True), found.as_json()["imbalance"]) == ([], 10.0)


def test_unlabelled_examples_belong_to_no_class(look, pets):
    """Their label is -1 in TFDS."""
    source = folder_source(pets)
    test = source.splits["test"]
    hidden = test.references().map(lambda image, label: (image, -tf.ones_like(label)))
    splits = {**source.splits, "test": dataclasses.replace(test, references=lambda: hidden)}
    found = look(dataclasses.replace(source, splits=splits))
    assert found.as_json()["missing_classes"] == {"test": ["cat", "dog"]}


# The cache.


def test_the_same_data_are_audited_once(look, copied):
    original, _ = copied("train/cat", "test/cat")
    folder = original.parents[2]
    before, source = look(folder).as_json(), folder_source(folder)
    shutil.rmtree(folder)
    assert look(source).as_json() == before


def test_files_of_a_folder_that_moved_have_their_new_names(look, copied):
    original, _ = copied("train/cat", "test/cat")
    folder = original.parents[2]
    look(folder)
    moved = folder.rename(folder.with_name("moved"))
    assert str(moved / "test" / "cat" / "copy.png") in look(moved).warnings()[0]


def test_changed_data_are_audited_again(look, copied):
    original, copy = copied("train/cat", "test/cat")
    assert look(original.parents[2]).across_splits.images == 1
    copy.unlink()
    assert look(original.parents[2]).across_splits.images == 0


def test_a_damaged_cache_is_ignored(look, copied, tmp_path):
    original, _ = copied("train/cat", "test/cat")
    before = look(original.parents[2]).as_json()
    [file] = (tmp_path / "cache").iterdir()
    file.write_text(file.read_text().replace('"images": 1', '"images": 7'))
    assert look(original.parents[2]).as_json() == before


def test_the_result_is_json(look, copied):
    original, _ = copied("train/cat", "test/cat")
    found = look(original.parents[2]).as_json()
    assert json.loads(json.dumps(found)) == found
