"""Identical images are found by their bytes."""

import dataclasses
import hashlib

import pytest
import tensorflow as tf

from trainer.data.checks.duplicates import (
    LISTED_IMAGES,
    LISTED_PLACES,
    Contents,
    Place,
    across_splits,
    contents_from_splits,
    under_two_labels,
)


def contents(*placed):
    """`contents((b"cat", "train", 0), …)`: an image, its split and its label."""
    return Contents(
        [Place(split, position, label) for position, (_, split, label) in enumerate(placed)],
        [hashlib.sha256(image).hexdigest() for image, _, _ in placed],
    )


# The contents of splits.


def test_contents_are_the_sha_256_of_every_image(split_of):
    found = contents_from_splits({"train": split_of([b"one", b"two"])})
    assert found.digests == [hashlib.sha256(image).hexdigest() for image in (b"one", b"two")]


def test_contents_have_the_place_of_every_image(split_of):
    splits = {"train": split_of([b"one", b"two"]), "test": split_of([b"two"])}
    expected = [Place("train", 0, 0), Place("train", 1, 1), Place("test", 0, 0)]
    assert contents_from_splits(splits).places == expected


def test_progress_is_shown_for_every_split(split_of, progress):
    splits = {"train": split_of([bytes([n]) for n in range(40)]), "test": split_of([b"x"])}
    contents_from_splits(splits)
    name = "looking for duplicates"
    assert progress == [(name, 16, 40), (name, 32, 40), (name, 40, 40), (name, 1, 1)]


def test_digests_that_a_reader_keeps_are_not_computed_again(split_of):
    split = dataclasses.replace(split_of([b"one", b"two"]), digests=lambda: ["11", "22"])
    assert contents_from_splits({"train": split}).digests == ["11", "22"]


def test_images_are_not_decoded(split_of):
    assert contents_from_splits({"train": split_of([b"", b"no image"])}).places


def test_a_file_that_does_not_exist_is_an_error_of_tensorflow(split_of, tmp_path):
    split = split_of([str(tmp_path / "gone.png").encode()])
    with pytest.raises(tf.errors.NotFoundError):
        contents_from_splits({"train": dataclasses.replace(split, read=tf.io.read_file)})


# Duplicates.


def test_different_images_are_no_duplicates():
    found = contents((b"one", "train", 0), (b"two", "test", 1))
    assert across_splits(found).images == under_two_labels(found).images == 0


def test_an_image_in_two_splits_is_found():
    found = across_splits(contents((b"one", "train", 0), (b"two", "train", 0), (b"one", "test", 0)))
    assert (found.images, found.listed) == (1, [[Place("train", 0, 0), Place("test", 2, 0)]])


def test_copies_in_one_split_under_one_label_are_no_duplicates():
    found = contents((b"one", "train", 0), (b"one", "train", 0))
    assert across_splits(found).images == under_two_labels(found).images == 0


def test_an_image_under_two_labels_is_found():
    found = under_two_labels(contents((b"one", "train", 0), (b"one", "train", 3)))
    assert (found.images, found.listed) == (1, [[Place("train", 0, 0), Place("train", 1, 3)]])


def test_an_image_may_be_in_two_splits_and_under_two_labels():
    found = contents((b"one", "train", 0), (b"one", "test", 1))
    assert across_splits(found).listed == under_two_labels(found).listed


def test_a_copy_without_a_label_is_no_duplicate():
    assert under_two_labels(contents((b"one", "train", 0), (b"one", "test", -1))).images == 0


def test_all_are_counted_and_the_first_are_listed():
    images = [str(number).encode() for number in range(LISTED_IMAGES + 5)]
    placed = [(image, split, 0) for split in ("train", "test") for image in images]
    found = across_splits(contents(*placed))
    assert (found.images, len(found.listed)) == (LISTED_IMAGES + 5, LISTED_IMAGES)


def test_of_very_many_places_one_of_each_split_is_listed_first():
    """As of a "photo not available" that occurs a thousand times."""
    placed = [(b"grey", "train", 0)] * 1000 + [(b"grey", "test", 1)]
    [listed] = across_splits(contents(*placed)).listed
    assert len(listed) == LISTED_PLACES
    assert listed[:2] == [Place("train", 0, 0), Place("test", 1000, 1)]
