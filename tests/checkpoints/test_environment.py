"""What a run that goes on must find as it was, and what it may find otherwise if that is told."""

import json

import pytest

from tests.training import ENVIRONMENT
from trainer import UserError
from trainer.checkpoints.environment import circumstances, differences
from trainer.data.splits import Source


def told(**others):
    return list(differences(ENVIRONMENT, {**ENVIRONMENT, **others}))


def test_where_all_is_as_it_was_nothing_is_told():
    assert told() == []


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (
            {"data": {"train": "another"}},
            "the data have changed since the run began: it may end with other weights",
        ),
        (
            {"versions": {"python": "3.11", "tensorflow": "2.22"}},
            "the run began with tensorflow 2.21, not 2.22: last bits may differ",
        ),
        (
            {"versions": {"python": "3.11"}},
            "the run began with tensorflow 2.21, not None: last bits may differ",
        ),
        ({"cores": 8}, "the run began on 2 cores, not 8: last bits may differ"),
        ({"gpus": 1}, "the run began on 0 gpus, not 1: last bits may differ"),
    ],
    ids=str,
)
def test_what_may_change_the_bits_is_told_in_a_line(other, line):
    assert told(**other) == [line]


def test_each_difference_has_its_line():
    assert len(told(cores=1, gpus=1, data={}, versions={})) == 5


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"classes": ["a", "b"]}, r"classes \['a', 'b', 'c'\]"),
        ({"classes": ["a", "c", "b"]}, r"classes \['a', 'b', 'c'\]"),
        ({"examples": {"train": 1}}, "examples {'train': 50"),
    ],
    ids=str,
)
def test_other_classes_or_examples_are_refused(other, named):
    with pytest.raises(UserError, match=f"^the data have changed: the run began with {named}"):
        told(**other)


def test_those_of_this_process_are_as_json_takes_them_back(split_of):
    split = split_of([b"one", b"two"])
    source = Source("sample", "cats", "1", ("cat", "dog"), {"train": split})
    now = circumstances(source)
    assert json.loads(json.dumps(now)) == now
    assert now["examples"] == {"train": 2}
    assert now["data"] == {"train": split.fingerprint}
    assert now["cores"] >= 1
    assert list(differences(now, circumstances(source))) == []
