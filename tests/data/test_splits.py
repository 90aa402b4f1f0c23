"""A split: its labels, and parts of it."""

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


def test_labels_of_more_examples_than_are_counted_together(split_of):
    assert split_of([b"x"] * 3000).labels().tolist() == list(range(3000))


def test_labels_take_no_look_at_the_images(train):
    [cat, *_] = (path for path, _ in train.references().as_numpy_iterator())
    Path(cat.decode()).write_bytes(b"")
    assert len(train.labels()) == 5


def test_a_part_has_its_own_labels(train):
    assert train.part(2, 2).labels().tolist() == [0, 1]
