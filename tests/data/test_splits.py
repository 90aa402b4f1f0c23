"""A split: its labels, and slices of it."""

from pathlib import Path

import numpy as np
import pytest

from trainer.data.readers.folder import folder_source


@pytest.fixture
def train(class_folders):
    """Three cats, then two dogs."""
    counts = {"train/cat": 3, "train/dog": 2}
    held_out = {f"{split}/{name}": 1 for split in ("valid", "test") for name in ("cat", "dog")}
    return folder_source(class_folders({**counts, **held_out})).splits["train"]


def test_labels_are_in_the_stored_order(train):
    assert train.labels().dtype == np.int32
    assert train.labels().tolist() == [0, 0, 0, 1, 1]


def test_labels_of_more_examples_than_one_batch_of_labels(split_of):
    assert split_of([b"x"] * 3000).labels().tolist() == list(range(3000))


def test_labels_need_no_image_file(train):
    [cat, *_] = (path for path, _ in train.references().as_numpy_iterator())
    Path(cat.decode()).write_bytes(b"")
    assert len(train.labels()) == 5


def test_a_slice_has_the_labels_of_its_examples(train):
    assert train.slice(2, 2).labels().tolist() == [0, 1]


def test_a_slice_has_the_digests_of_its_examples(train):
    assert train.slice(2, 2).digests() == train.digests()[2:4]


def test_a_slice_of_a_slice_counts_positions_in_the_whole_split(train):
    part = train.slice(1, 4).slice(2, 2)
    assert part.first == 3
    assert part.describe(0) == train.describe(3)
