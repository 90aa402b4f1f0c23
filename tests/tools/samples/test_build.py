"""Samples as data: what TFDS reads is what was drawn."""

import dataclasses

import pytest

from tools.samples import build
from trainer.data.readers.tfds import tfds_source

EXAMPLES = 25


@pytest.fixture
def few_digits(monkeypatch):
    """The sample of digits, with a few pictures."""
    few = dataclasses.replace(build.SAMPLES["digits"], examples=EXAMPLES)
    monkeypatch.setitem(build.SAMPLES, "digits", few)
    return few


def test_what_is_built_is_a_dataset_of_tfds(few_digits, tmp_path):
    build.build_sample("digits", tmp_path)
    source = tfds_source("digits", {"train": "train", "test": "test"}, tmp_path)
    assert (source.classes, source.examples) == (few_digits.classes, {"train": 15, "test": 5})
    read = [(image, label) for image, label in source.splits["train"].references()]
    drawn = build.examples(few_digits, "train", 15)
    assert [(i.numpy(), int(n)) for i, n in read] == [(e["image"], e["label"]) for e in drawn]


def test_what_is_built_is_the_same_bytes_again(few_digits, tmp_path):
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        build.build_sample("digits", folder)
    first, second = (
        {path.name: path.read_bytes() for path in folder.glob("digits/*/*")} for folder in folders
    )
    assert first == second


@pytest.mark.parametrize(("count", "sizes"), [(25, (15, 5, 5)), (32, (20, 6, 6))])
def test_a_fifth_each_is_held_out(count, sizes):
    assert build.split_sizes(count) == sizes


def test_a_smaller_sample_is_the_beginning_of_a_larger_one():
    digits = build.SAMPLES["digits"]
    assert list(build.examples(digits, "test", 20))[:12] == list(build.examples(digits, "test", 12))
