"""Images that cannot be read are left out if so asked, as if they had never been there."""

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
from trainer.data.pipeline.batches import image_batches
from trainer.data.readers.folder import folder_source
from trainer.data.selection import without
from trainer.data.splits import Source


def silent(done, total):
    pass


class Told:
    """A progress bar that remembers."""

    def __init__(self):
        self.done = []

    def __call__(self, done, total):
        self.done.append((done, total))


@pytest.fixture
def bad_files(encoded, picture):
    """Puts files that are no images between those of a folder of cats and dogs; gives their paths.

    Some are refused by their first bytes, others only by a decoder.
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
        (folder / "dog" / "folder.jpg").mkdir()
        return {str(folder / name) for name in (*contents, "cat/lost.png", "dog/folder.jpg")}

    return put


@pytest.fixture
def with_and_without(cats_and_dogs, bad_files):
    """The source of a folder with bad files, skipped, that of the folder before; and the files."""
    before = folder_source(cats_and_dogs)
    paths = bad_files(cats_and_dogs)
    return folder_source(cats_and_dogs, checking=silent), before, paths


# A folder.


def test_all_files_that_cannot_be_read_are_left_out_and_told(with_and_without):
    source, _, paths = with_and_without
    assert source.skipped.keys() == paths


def test_each_is_told_with_what_is_wrong(with_and_without):
    whys = {where.rpartition("/")[2]: why for where, why in with_and_without[0].skipped.items()}
    assert whys["000-empty.png"] == "is empty"
    assert whys["011-text.jpg"].startswith("is no image of a format we read")
    assert whys["lost.png"] == "cannot be read (No such file or directory)"
    assert whys["folder.jpg"] == "is a folder"
    assert whys["005-cut.png"].startswith("cannot be read as an image (")


@pytest.mark.parametrize("split", SPLITS)
def test_a_folder_is_cut_as_if_they_had_never_been_there(with_and_without, split):
    source, before, _ = with_and_without
    assert list(source.splits[split].references().as_numpy_iterator()) == list(
        before.splits[split].references().as_numpy_iterator()
    )


@pytest.mark.parametrize("split", SPLITS)
def test_kept_features_are_found_as_if_they_had_never_been_there(with_and_without, split):
    source, before, _ = with_and_without
    assert source.splits[split].fingerprint == before.splits[split].fingerprint


def test_a_class_of_nothing_else_is_no_class(cats_and_dogs):
    (cats_and_dogs / "bird").mkdir()
    (cats_and_dogs / "bird" / "empty.png").touch()
    assert folder_source(cats_and_dogs, checking=silent).classes == ("cat", "dog")


def test_a_split_of_nothing_else_is_refused(class_folders):
    folders = {f"{split}/{name}": 1 for split in SPLITS for name in ("cat", "dog")}
    folder = class_folders(folders)
    for path in (folder / "test").rglob("*.png"):
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"the test split .* has no examples"):
        folder_source(folder, checking=silent)


def test_without_the_option_nothing_is_decoded(cats_and_dogs, bad_files):
    (cats_and_dogs / "cat" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert folder_source(cats_and_dogs).skipped == {}


# What was found is kept.


def test_a_second_run_checks_nothing(cats_and_dogs, bad_files, tmp_path):
    bad_files(cats_and_dogs)
    first, second = Told(), Told()
    sources = [
        folder_source(cats_and_dogs, memory=tmp_path / "memory", checking=told)
        for told in (first, second)
    ]
    assert first.done == [(number, 22) for number in range(1, 23)]  # four are refused before
    assert second.done == []
    assert sources[0].skipped == sources[1].skipped


def test_a_file_that_was_mended_is_checked_again(cats_and_dogs, bad_files, tmp_path, picture):
    paths = bad_files(cats_and_dogs)
    folder_source(cats_and_dogs, memory=tmp_path / "memory", checking=silent)
    picture(99).save(cats_and_dogs / "cat" / "005-cut.png")
    mended = folder_source(cats_and_dogs, memory=tmp_path / "memory", checking=silent)
    assert mended.skipped.keys() == paths - {str(cats_and_dogs / "cat" / "005-cut.png")}


def test_a_damaged_memory_is_forgotten(cats_and_dogs, bad_files, tmp_path):
    paths = bad_files(cats_and_dogs)
    folder_source(cats_and_dogs, memory=tmp_path / "memory", checking=silent)
    for path in (tmp_path / "memory").iterdir():
        path.write_text(path.read_text().replace("[", "", 1))
    again = folder_source(cats_and_dogs, memory=tmp_path / "memory", checking=silent)
    assert again.skipped.keys() == paths


# Any other source.


@pytest.fixture
def seven(split_of, encoded, picture):
    """Seven images, of which the second and the last are cut off."""
    images = [encoded(picture(number), "PNG") for number in range(7)]
    return split_of([image[:-20] if n in (1, 6) else image for n, image in enumerate(images)])


def test_what_is_wrong_is_told_by_positions(seven):
    assert list(unreadable_examples(seven, silent)) == [1, 6]


def test_progress_is_told_for_every_example(seven):
    told = Told()
    unreadable_examples(seven, told)
    assert told.done == [(number, 7) for number in range(1, 8)]


def test_what_is_left_keeps_its_order_and_its_labels(seven):
    batches = image_batches(without(seven, [1, 6]), 8, 5)
    assert [labels.numpy().tolist() for _, labels in batches] == [[0, 2, 3, 4, 5]]


def test_what_is_left_is_told_by_its_own_place(seven):
    left = without(seven, [1, 6])
    assert [left.describe(position) for position in range(left.examples)] == [
        f"example {position}" for position in (0, 2, 3, 4, 5)
    ]


def test_what_is_left_is_drawn_as_if_it_were_alone(seven, split_of, encoded, picture):
    alone = split_of([encoded(picture(number), "PNG") for number in (0, 2, 3, 4, 5)])
    drawn = [
        np.concatenate([images for images, _ in image_batches(split, 8, 2, shuffled_by=(3, 1))])
        for split in (without(seven, [1, 6]), alone)
    ]
    np.testing.assert_array_equal(*drawn)


def test_what_is_left_has_a_fingerprint_of_its_own(seven):
    lefts = [without(seven, positions) for positions in ([], [1], [6], [1, 6])]
    assert len({left.fingerprint for left in lefts}) == 4
    assert lefts[0] is seven


@pytest.fixture
def tfds_like(seven):
    """A source of three splits whose examples have no files."""
    splits = {split: dataclasses.replace(seven, fingerprint=split) for split in SPLITS}
    return Source("tfds", "seven", "1.0.0", ("even", "odd"), splits)


def test_of_a_source_without_files_examples_are_left_out_of_every_split(tfds_like):
    left = drop_unreadable(tfds_like, silent)
    assert left.examples == dict.fromkeys(SPLITS, 5)


def test_such_an_example_is_named_as_the_split_names_it(tfds_like):
    told = skipped_images(drop_unreadable(tfds_like, silent))
    assert {entry["example"] for entry in told["files"]} == {"example 1", "example 6"}


def test_of_a_source_that_is_whole_nothing_changes(tfds_like):
    whole = {split: without(tfds_like.splits[split], [1, 6]) for split in SPLITS}
    source = dataclasses.replace(tfds_like, splits=whole)
    assert drop_unreadable(source, silent) == source


# What is told.


def test_the_result_names_every_file(with_and_without):
    source, _, paths = with_and_without
    told = json.loads(json.dumps(skipped_images(source)))
    assert told["count"] == 6
    assert {entry["file"] for entry in told["files"]} == paths
    assert all(entry["reason"] for entry in told["files"])


def test_one_line_counts_them_and_names_the_first():
    assert skipped_message({"a.jpg": "is empty"}) == (
        "left out: 1 image that cannot be read, as a.jpg, which is empty; result.json names all"
    )
    assert skipped_message({str(n): "is empty" for n in range(1200)}).startswith(
        "left out: 1,200 images that cannot be read, as 0, which is empty;"
    )


def test_one_line_tells_that_there_are_none():
    assert skipped_message({}) == "checked: every image can be read"
