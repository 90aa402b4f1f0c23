"""What must be the same for a resumed run, and what may differ with a line that says so."""

import json

import pytest

from tests.training import ENVIRONMENT
from trainer import UserError
from trainer.checkpoints.environment import differences, environment
from trainer.data.splits import Source


def lines(**others):
    return list(differences(ENVIRONMENT, {**ENVIRONMENT, **others}))


def test_in_the_same_environment_there_is_no_line():
    assert lines() == []


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
        (
            {"onednn": False},
            "the run began with oneDNN (TF_ENABLE_ONEDNN_OPTS): last bits may differ",
        ),
    ],
    ids=str,
)
def test_what_may_change_the_bits_has_a_line(other, line):
    assert lines(**other) == [line]


def test_each_difference_has_its_line():
    assert len(lines(cores=1, gpus=1, data={}, versions={})) == 5


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
        lines(**other)


def test_the_environment_of_this_process_comes_back_from_json(split_of):
    split = split_of([b"one", b"two"])
    source = Source("sample", "cats", "1", ("cat", "dog"), {"train": split})
    now = environment(source)
    assert json.loads(json.dumps(now)) == now
    assert now["examples"] == {"train": 2}
    assert now["data"] == {"train": split.fingerprint}
    assert now["cores"] >= 1
    assert list(differences(now, environment(source))) == []
