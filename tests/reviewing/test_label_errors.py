import numpy as np
import pytest

from trainer.data.labels import from_columns
from trainer.data.splits import Split
from trainer.reviewing.examples import Examples
from trainer.reviewing.label_errors import find_label_errors

KINDS = np.arange(200) % 4
SWAPPED = [3, 50, 101]


@pytest.fixture
def features():
    """Four groups of directions."""
    return (3 * np.eye(8)[KINDS] + np.random.default_rng(0).normal(size=[200, 8]) / 3).astype("f4")


@pytest.fixture
def examples(features):
    def make(kind, names, labels):
        split = Split("all", 200, "", None, None, 1, "example {}".format)
        return Examples("data", split, ["train"] * 200, features, labels, names, kind)

    return make


def classes():
    labels = KINDS.astype(np.int32)
    labels[SWAPPED] = (labels[SWAPPED] + 1) % 4
    return labels


def test_swapped_classes_are_found_with_the_right_one(examples):
    names = ("ash", "birch", "cedar", "date")
    found = find_label_errors(examples("class", names, classes()), seed=1)
    assert sorted(error.position for error in found) == SWAPPED
    assert {error.suggestion for error in found if error.position == 50} == {names[KINDS[50]]}
    assert {error.label for error in found if error.position == 50} == {names[classes()[50]]}


def test_right_classes_are_not_suspected(examples):
    labels = KINDS.astype(np.int32)
    assert find_label_errors(examples("class", tuple("abcd"), labels), seed=1) == []


def test_the_surest_is_first(examples):
    found = find_label_errors(examples("class", tuple("abcd"), classes()), seed=1)
    scores = [error.score for error in found]
    assert scores == sorted(scores, reverse=True)


def test_labels_too_many_and_too_few_are_found(examples):
    labels = np.stack([KINDS < 2, KINDS % 2 == 0], axis=1).astype(np.float32)
    labels[:20, 0] = 1 - labels[:20, 0]
    found = find_label_errors(examples("labels", ("early", "even"), labels), seed=1)
    assert {error.position for error in found} <= set(range(20))
    assert len(found) > 10
    assert {(error.label, error.suggestion) for error in found} == {
        ("early", "not early"),
        ("not early", "early"),
    }


def test_a_number_far_from_what_is_predicted_is_found(examples):
    numbers = KINDS[:, None].astype(np.float32)
    numbers[50] = 30
    [found] = find_label_errors(examples("numbers", ("years",), numbers), seed=1)
    assert (found.position, found.label) == (50, "years 30")


def test_several_outputs_are_told_apart(examples):
    labels = {"kind": classes(), "size": KINDS[:, None].astype(np.float32)}
    kinds = {"kind": "class", "size": "numbers"}
    names = {"kind": ("ash", "birch", "cedar", "date"), "size": ("m",)}
    found = find_label_errors(examples(kinds, names, from_columns(labels)), seed=1)
    assert sorted(e.position for e in found if e.label.startswith("kind ")) == SWAPPED


def test_a_class_of_one_example_is_no_obstacle(examples):
    labels = classes()
    labels[0] = 4
    found = find_label_errors(examples("class", tuple("abcde"), labels), seed=1)
    assert set(SWAPPED) <= {error.position for error in found}


def test_nothing_is_said_where_each_class_has_one_example(examples):
    names = tuple(map(str, range(200)))
    labels = np.arange(200, dtype=np.int32)
    assert find_label_errors(examples("class", names, labels), seed=1) == []
