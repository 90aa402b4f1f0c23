"""A source is looked through for what nothing refuses and a person should know."""

import dataclasses
import json
import shutil

import pytest
import tensorflow as tf

from trainer.data.checks.audit import audit
from trainer.data.readers.folder import folder_source
from trainer.data.readers.sample import sample_source
from trainer.data.readers.tfds import tfds_source
from trainer.data.selection import filter_classes

PETS = {f"{split}/{name}": 2 for split in ("train", "valid", "test") for name in ("cat", "dog")}


@pytest.fixture
def pets(class_folders):
    """The folder of two classes in three splits, nothing wrong with them."""
    return class_folders(PETS)


@pytest.fixture
def look(tmp_path):
    """Audits a folder or a source, with a memory of its own."""

    def audited(data):
        source = data if dataclasses.is_dataclass(data) else folder_source(data)
        return audit(source, tmp_path / "memory", lambda done, total: None)

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
    assert look(pets).warnings("none") == []


def test_good_data_are_told_to_be_good_in_the_result(look, pets):
    assert look(pets).as_json() == {
        "identical_across_splits": {"images": 0, "groups": []},
        "identical_under_two_labels": {"images": 0, "groups": []},
        "missing_classes": {},
        "imbalance": None,
    }


def test_a_built_in_sample_is_good(look, tmp_path):
    assert look(sample_source("digits", 200, tmp_path)).warnings("none") == []


def test_a_folder_that_we_cut_leaks_nothing(look, class_folders):
    folder = class_folders({"cat": 10, "dog": 10})
    for path in list(folder.glob("*/*")):
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
    assert look(folder).warnings("none") == []


# Duplicates.


def test_an_image_in_two_splits_is_named_at_both_places(look, copied):
    original, copy = copied("train/cat", "test/cat")
    [line] = look(original.parents[2]).warnings("none")
    assert line == (
        f"warning: 1 image is in more than one split, the same bytes at {original} (cat, train) and"
        f" {copy} (cat, test): measuring on them proves nothing; keep each in one (result.json"
        " lists them)"
    )


def test_an_image_under_two_labels_is_named_at_both_places(look, copied):
    original, copy = copied("train/cat", "train/dog")
    [line] = look(original.parents[2]).warnings("none")
    assert line == (
        f"warning: 1 image is under more than one label, the same bytes at {original} (cat, train)"
        f" and {copy} (dog, train): keep the right one (result.json lists them)"
    )


def test_the_result_lists_every_place(look, copied):
    original, copy = copied("valid/cat", "test/dog")
    told = look(original.parents[2]).as_json()
    group = [
        {"split": "validation", "class": "cat", "image": str(original)},
        {"split": "test", "class": "dog", "image": str(copy)},
    ]
    assert told["identical_across_splits"] == {"images": 1, "groups": [group]}
    assert told["identical_under_two_labels"] == {"images": 1, "groups": [group]}


def test_only_the_chosen_classes_are_looked_at(look, copied):
    original, _ = copied("train/cat", "train/dog")
    source = filter_classes(folder_source(original.parents[2]), ("dog", "cat"))
    [group] = look(source).as_json()["identical_under_two_labels"]["groups"]
    assert [place["class"] for place in group] == ["cat", "dog"]


def test_an_example_of_tfds_is_named_by_its_split_and_position(look, tiny_dataset, prepared):
    overlapping = {"train": "train", "validation": "train[:1]", "test": "train[1:3]"}
    told = look(tfds_source(tiny_dataset, overlapping, prepared)).as_json()
    assert told["identical_across_splits"]["images"] == 3
    names = [place["image"] for place in told["identical_across_splits"]["groups"][0]]
    assert names == ["example 0 of tiny_pictures train", "example 0 of tiny_pictures train[:1]"]


# Classes.


def test_a_class_that_a_split_lacks_is_named(look, pets):
    shutil.rmtree(pets / "valid" / "dog")
    found = look(pets)
    assert found.as_json()["missing_classes"] == {"validation": ["dog"]}
    assert found.warnings("none") == [
        "warning: validation has no image of dog: nothing is measured of it there; add some"
    ]


def test_a_class_that_is_never_trained_on_is_named(look, pets):
    shutil.rmtree(pets / "train" / "dog")
    assert look(pets).warnings("none") == [
        "warning: train has no image of dog: nothing is learnt of it there; add some"
    ]


def test_of_many_missing_classes_the_first_are_named(look, class_folders):
    counts = {f"train/{name}": 1 for name in "abcdef"}
    found = look(class_folders({**counts, "valid/a": 1, "test/a": 1}))
    assert (
        "no image of b, c, d and 2 more: nothing is measured of them" in found.warnings("none")[0]
    )
    assert found.as_json()["missing_classes"]["test"] == list("bcdef")


@pytest.mark.parametrize(("cats", "told"), [(9, None), (10, 10.0), (25, 25.0)])
def test_ten_times_as_many_images_of_a_class_are_unbalanced(look, class_folders, cats, told):
    found = look(class_folders({**PETS, "train/cat": cats, "train/dog": 1}))
    assert found.as_json()["imbalance"] == told
    assert len(found.warnings("none")) == bool(told)


def test_the_commonest_and_the_rarest_class_are_told(look, class_folders):
    [line] = look(class_folders({**PETS, "train/cat": 20, "train/dog": 2})).warnings("none")
    assert line == (
        "warning: train has 20 images of cat and 2 of dog: accuracy hides how the rare classes do;"
        " add images of them, or try --class-weights balanced"
    )


def test_whoever_weighs_the_classes_knows(look, class_folders):
    found = look(class_folders({**PETS, "train/cat": 20, "train/dog": 2}))
    assert (found.warnings("balanced"), found.as_json()["imbalance"]) == ([], 10.0)


def test_labels_that_a_dataset_keeps_to_itself_are_of_no_class(look, pets):
    """TFDS has -1 for them."""
    source = folder_source(pets)
    test = source.splits["test"]
    hidden = test.references().map(lambda image, label: (image, -tf.ones_like(label)))
    splits = {**source.splits, "test": dataclasses.replace(test, references=lambda: hidden)}
    found = look(dataclasses.replace(source, splits=splits))
    assert found.as_json()["missing_classes"] == {"test": ["cat", "dog"]}


# What is remembered.


def test_the_same_data_are_read_once(look, copied):
    original, _ = copied("train/cat", "test/cat")
    folder = original.parents[2]
    before, source = look(folder).as_json(), folder_source(folder)
    shutil.rmtree(folder)
    assert look(source).as_json() == before


def test_a_folder_that_moved_is_told_by_its_new_names(look, copied):
    original, _ = copied("train/cat", "test/cat")
    folder = original.parents[2]
    look(folder)
    moved = folder.rename(folder.with_name("moved"))
    assert str(moved / "test" / "cat" / "copy.png") in look(moved).warnings("none")[0]


def test_data_that_changed_are_read_again(look, copied):
    original, copy = copied("train/cat", "test/cat")
    assert look(original.parents[2]).across_splits.images == 1
    copy.unlink()
    assert look(original.parents[2]).across_splits.images == 0


def test_a_damaged_memory_is_found_out_again(look, copied, tmp_path):
    original, _ = copied("train/cat", "test/cat")
    before = look(original.parents[2]).as_json()
    [kept] = (tmp_path / "memory").iterdir()
    kept.write_text(kept.read_text().replace('"images": 1', '"images": 7'))
    assert look(original.parents[2]).as_json() == before


def test_the_result_is_json(look, copied):
    original, _ = copied("train/cat", "test/cat")
    told = look(original.parents[2]).as_json()
    assert json.loads(json.dumps(told)) == told
