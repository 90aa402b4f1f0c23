"""Unreadable images are skipped on request, as if they did not exist."""

import dataclasses
import json

import numpy as np
import pytest

from trainer import UserError
from trainer.data import SPLITS
from trainer.data.checks.unreadable import (
    drop_unreadable,
    skipped_images,
    skipped_message,
    unreadable_examples,
)
from trainer.data.json_cache import JsonCache
from trainer.data.pipeline.batches import image_batches
from trainer.data.readers.folder import folder_source
from trainer.data.selection import drop_examples
from trainer.data.splits import Source


@pytest.fixture
def cache(tmp_path):
    """A cache of the test."""
    return JsonCache(tmp_path / "cache")


@pytest.fixture
def bad_files(encoded, picture):
    """Adds unreadable files to a folder of cats and dogs, and returns their paths.

    Some are unreadable by their header, others only when they are decoded.
    """

    def put(folder):
        whole = encoded(picture(77).resize((64, 64)), "PNG")
        contents = {
            "cat/000-empty.png": b"",
            "cat/005-cut.png": whole[:-40],
            "dog/011-text.jpg": b"a text",
            "dog/999-wrong.png": whole[:60] + bytes(20) + whole[80:],
        }
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        (folder / "cat" / "lost.png").symlink_to("nowhere")
        return {str(folder / name) for name in (*contents, "cat/lost.png")}

    return put


@pytest.fixture
def with_and_without(cats_and_dogs, bad_files):
    """The source of a folder with bad files, skipped; that of the folder before; and the files."""
    before = folder_source(cats_and_dogs)
    paths = bad_files(cats_and_dogs)
    return folder_source(cats_and_dogs, skip_unreadable=True), before, paths


# A folder.


def test_all_unreadable_files_are_skipped(with_and_without):
    source, _, paths = with_and_without
    assert source.skipped.keys() == paths


def test_every_skipped_file_has_its_reason(with_and_without):
    whys = {where.rpartition("/")[2]: why for where, why in with_and_without[0].skipped.items()}
    assert whys["000-empty.png"] == "is empty"
    assert whys["011-text.jpg"].startswith("is not an image of a supported format")
    assert whys["lost.png"] == "cannot be read (No such file or directory)"
    assert whys["005-cut.png"].startswith("cannot be read as an image (")


@pytest.mark.parametrize("split", SPLITS)
def test_a_folder_is_cut_as_if_unreadable_files_did_not_exist(with_and_without, split):
    source, before, _ = with_and_without
    assert list(source.splits[split].references().as_numpy_iterator()) == list(
        before.splits[split].references().as_numpy_iterator()
    )


@pytest.mark.parametrize("split", SPLITS)
def test_fingerprints_are_as_if_unreadable_files_did_not_exist(with_and_without, split):
    source, before, _ = with_and_without
    assert source.splits[split].fingerprint == before.splits[split].fingerprint


def test_a_class_of_unreadable_files_only_is_no_class(cats_and_dogs):
    (cats_and_dogs / "bird").mkdir()
    (cats_and_dogs / "bird" / "empty.png").touch()
    assert folder_source(cats_and_dogs, skip_unreadable=True).classes == ("cat", "dog")


def test_a_split_of_unreadable_files_only_is_an_error(class_folders):
    folders = {f"{split}/{name}": 1 for split in SPLITS for name in ("cat", "dog")}
    folder = class_folders(folders)
    for path in (folder / "test").rglob("*.png"):
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"the test split .* has no examples"):
        folder_source(folder, skip_unreadable=True)


def test_without_the_option_nothing_is_decoded(cats_and_dogs):
    (cats_and_dogs / "cat" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert folder_source(cats_and_dogs).skipped == {}


# The cache.


def test_a_second_run_decodes_nothing(cats_and_dogs, bad_files, cache, progress):
    bad_files(cats_and_dogs)
    first = folder_source(cats_and_dogs, cache=cache, skip_unreadable=True)
    checked = [shown for shown in progress if shown[0] == "checking images"]
    progress.clear()
    second = folder_source(cats_and_dogs, cache=cache, skip_unreadable=True)
    # Four of the 26 files are unreadable by their header.
    assert checked == [("checking images", number, 22) for number in range(1, 23)]
    assert progress == []
    assert first.skipped == second.skipped


def test_a_file_that_was_fixed_is_checked_again(cats_and_dogs, bad_files, cache, picture):
    paths = bad_files(cats_and_dogs)
    folder_source(cats_and_dogs, cache=cache, skip_unreadable=True)
    picture(99).save(cats_and_dogs / "cat" / "005-cut.png")
    fixed = folder_source(cats_and_dogs, cache=cache, skip_unreadable=True)
    assert fixed.skipped.keys() == paths - {str(cats_and_dogs / "cat" / "005-cut.png")}


def test_a_damaged_cache_is_ignored(cats_and_dogs, bad_files, cache):
    paths = bad_files(cats_and_dogs)
    folder_source(cats_and_dogs, cache=cache, skip_unreadable=True)
    for path in cache.folder.iterdir():
        path.write_text(path.read_text().replace("[", "", 1))
    again = folder_source(cats_and_dogs, cache=cache, skip_unreadable=True)
    assert again.skipped.keys() == paths


# Any other source.


@pytest.fixture
def seven(split_of, encoded, picture):
    """Seven images, of which the second and the last are cut off."""
    images = [encoded(picture(number), "PNG") for number in range(7)]
    return split_of([image[:-20] if n in (1, 6) else image for n, image in enumerate(images)])


def test_unreadable_examples_are_found_by_position(seven):
    assert list(unreadable_examples(seven)) == [1, 6]


def test_progress_is_shown_for_every_example(seven, progress):
    unreadable_examples(seven)
    assert progress == [("checking images", number, 7) for number in range(1, 8)]


def test_the_other_examples_keep_their_order_and_labels(seven):
    batches = image_batches(drop_examples(seven, [1, 6]), 8, 5)
    assert [labels.numpy().tolist() for _, labels in batches] == [[0, 2, 3, 4, 5]]


def test_the_other_examples_keep_their_names(seven):
    left = drop_examples(seven, [1, 6])
    assert [left.describe(position) for position in range(left.examples)] == [
        f"example {position}" for position in (0, 2, 3, 4, 5)
    ]


def test_the_other_examples_are_shuffled_as_if_they_were_alone(seven, split_of, encoded, picture):
    alone = split_of([encoded(picture(number), "PNG") for number in (0, 2, 3, 4, 5)])
    drawn = [
        np.concatenate([images for images, _ in image_batches(split, 8, 2, shuffled_by=(3, 1))])
        for split in (drop_examples(seven, [1, 6]), alone)
    ]
    np.testing.assert_array_equal(*drawn)


def test_the_other_examples_have_a_fingerprint_of_their_own(seven):
    lefts = [drop_examples(seven, positions) for positions in ([], [1], [6], [1, 6])]
    assert len({left.fingerprint for left in lefts}) == 4
    assert lefts[0] is seven


@pytest.fixture
def tfds_like(seven):
    """A source of three splits whose examples have no files."""
    splits = {split: dataclasses.replace(seven, fingerprint=split) for split in SPLITS}
    return Source("tfds", "seven", "1.0.0", ("even", "odd"), splits)


def test_examples_without_files_are_dropped_from_every_split(tfds_like):
    left = drop_unreadable(tfds_like)
    assert left.examples == dict.fromkeys(SPLITS, 5)


def test_an_example_without_a_file_is_named_by_its_split(tfds_like):
    found = skipped_images(drop_unreadable(tfds_like))
    assert {entry["example"] for entry in found["files"]} == {"example 1", "example 6"}


def test_a_source_without_unreadable_images_stays_as_it_is(tfds_like):
    whole = {split: drop_examples(tfds_like.splits[split], [1, 6]) for split in SPLITS}
    source = dataclasses.replace(tfds_like, splits=whole)
    assert drop_unreadable(source) == source


# Messages.


def test_the_result_names_every_file(with_and_without):
    source, _, paths = with_and_without
    found = json.loads(json.dumps(skipped_images(source)))
    assert found["count"] == 5
    assert {entry["file"] for entry in found["files"]} == paths
    assert all(entry["reason"] for entry in found["files"])


def test_the_message_counts_skipped_images_and_names_the_first():
    assert skipped_message({"a.jpg": "is empty"}) == (
        "skipped: 1 image that cannot be read, such as a.jpg, which is empty; result.json lists all"
    )
    assert skipped_message({str(n): "is empty" for n in range(1200)}).startswith(
        "skipped: 1,200 images that cannot be read, such as 0, which is empty;"
    )


def test_the_message_says_that_every_image_can_be_read():
    assert skipped_message({}) == "checked: every image can be read"
