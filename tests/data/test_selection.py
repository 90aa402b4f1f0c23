"""Some classes of a source: only their examples, with a fingerprint of their own."""

from pathlib import Path

import pytest

from trainer import UserError
from trainer.core.hashing import file_sha256
from trainer.data.readers.folder import folder_source
from trainer.data.readers.tfds import tfds_source
from trainer.data.selection import filter_classes

COUNTS = {"train": 4, "validation": 2, "test": 2}


@pytest.fixture
def pets(class_folders):
    folders = {f"{s}/{name}": n for s, n in COUNTS.items() for name in ("cat", "dog", "fish")}
    return folder_source(class_folders(folders))


def examples(split):
    return [(path, int(label)) for path, label in split.references().as_numpy_iterator()]


def test_the_classes_are_those_chosen_in_their_order(pets):
    assert filter_classes(pets, ("fish", "cat")).classes == ("fish", "cat")


def test_only_examples_of_the_chosen_classes_are_left(pets):
    assert filter_classes(pets, ("fish", "cat")).examples == {n: 2 * c for n, c in COUNTS.items()}


def test_examples_are_labelled_in_the_order_of_the_chosen_classes(pets):
    chosen = examples(filter_classes(pets, ("fish", "cat")).splits["train"])
    assert {label: path.split(b"/")[-2] for path, label in chosen} == {0: b"fish", 1: b"cat"}


def test_examples_stay_in_their_order(pets):
    whole = [path for path, _ in examples(pets.splits["train"]) if b"/dog/" not in path]
    assert [
        path for path, _ in examples(filter_classes(pets, ("cat", "fish")).splits["train"])
    ] == whole


def test_an_example_is_described_by_its_own_file(pets):
    split = filter_classes(pets, ("fish", "cat")).splits["train"]
    paths = [path.decode() for path, _ in examples(split)]
    assert [split.describe(position) for position in range(len(paths))] == paths


def test_a_slice_of_the_chosen_examples(pets):
    split = filter_classes(pets, ("fish", "cat")).splits["train"]
    assert examples(split.slice(3, 4)) == examples(split)[3:7]


def test_chosen_examples_keep_the_digests_of_their_files(pets):
    split = filter_classes(pets, ("fish", "cat")).splits["train"]
    files = [path for path, _ in examples(split)]
    assert split.digests() == [file_sha256(Path(file.decode())) for file in files]


@pytest.mark.parametrize("other", [("cat", "fish"), ("fish", "cat"), ("cat", "dog", "fish")])
def test_every_choice_has_a_fingerprint_of_its_own(pets, other):
    fingerprints = {
        source.splits["test"].fingerprint
        for source in (pets, filter_classes(pets, ("cat", "dog")), filter_classes(pets, other))
    }
    assert len(fingerprints) == 3


def test_classes_of_a_tfds_dataset_are_chosen_too(tiny_dataset, prepared):
    splits = {"train": "train[:50%]", "validation": "train[50%:75%]", "test": "train[75%:]"}
    source = filter_classes(tfds_source(tiny_dataset, splits, prepared), ("dog", "cat"))
    assert source.examples == {"train": 6, "validation": 3, "test": 3}
    whole = examples(tfds_source(tiny_dataset, splits, prepared).splits["train"])
    assert examples(source.splits["train"]) == [(image, 1 - label) for image, label in whole]


def test_the_error_of_an_unknown_class_lists_those_of_the_data(pets):
    with pytest.raises(UserError, match=r"no class 'bird'.*; it has cat, dog, fish$"):
        filter_classes(pets, ("cat", "bird"))


def test_a_split_without_any_of_the_classes_is_refused(class_folders):
    folders = {"train/cat": 2, "train/dog": 2, "train/fish": 2, "validation/fish": 2, "test/cat": 2}
    with pytest.raises(UserError, match=r"the validation split .* has no examples"):
        filter_classes(folder_source(class_folders(folders)), ("cat", "dog"))
