import numpy as np
import pytest

from trainer.evaluation.mistakes import example_lines, mistakes


def test_of_classes_they_are_the_wrong_ones_and_the_most_confident_comes_first(make_output):
    output = make_output()
    found = mistakes(output)
    assert set(found) == set(np.flatnonzero(output.scores.argmax(1) != output.labels))
    assert (np.diff(output.scores[found].max(axis=1)) <= 0).all()


def test_of_labels_an_example_is_wrong_where_one_of_its_labels_is(make_output):
    output = make_output("labels")
    found = mistakes(output)
    wrong = (output.scores > 0.5) != (output.labels > 0.5)
    assert set(found) == set(np.flatnonzero(wrong.any(axis=1)))
    assert np.abs(output.scores - output.labels)[found[0]].max() == pytest.approx(
        np.abs(output.scores - output.labels).max()
    )


def test_of_numbers_the_largest_error_comes_first(make_output):
    output = make_output("numbers")
    scores = output.labels.copy()
    scores[17, 2] += 5
    assert list(mistakes(output.with_scores(scores))) == [17]


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("class", ("true: b", "predicted: a 0.90")),
        ("labels", ("true: b", "wrong: a 0.90, b 0.10")),
        ("numbers", ("true: a 0", "predicted: a 0.9")),
    ],
)
def test_an_example_is_told_in_two_lines(make_output, kind, lines):
    output = make_output(kind, names="ab")
    output.labels[0] = 1 if kind == "class" else [0, 1]
    assert example_lines(output.with_scores(np.tile([0.9, 0.1], [300, 1])), 0) == lines
