import dataclasses

import numpy as np
import pytest

from trainer.evaluation.unknown import unknown_below


def test_so_many_of_the_answers_are_right(make_output):
    output = make_output()
    found = unknown_below(output, 0.9)
    answered = output.scores.max(axis=1) >= found.score
    right, weights = output.predicted == output.labels, output.weights
    precision = np.average(right[answered], weights=weights[answered])
    assert found.precision == pytest.approx(precision)
    assert precision >= 0.9
    assert found.answered == pytest.approx(weights[answered].sum() / weights.sum())


def test_with_any_lower_score_fewer_of_them_would_be(make_output):
    output = make_output()
    found = unknown_below(output, 0.9)
    confidence = output.scores.max(axis=1)
    right, weights = output.predicted == output.labels, output.weights
    for lower in confidence[confidence < found.score]:
        answered = confidence >= lower
        assert np.average(right[answered], weights=weights[answered]) < 0.9


def test_where_all_are_right_all_are_answered(make_output):
    output = make_output()
    perfect = dataclasses.replace(output, labels=output.predicted)
    found = unknown_below(perfect, 0.99)
    assert (found.precision, found.answered) == (1.0, 1.0)


def test_a_precision_that_no_score_reaches_has_none(make_output):
    output = make_output()
    wrong = dataclasses.replace(output, labels=(output.predicted + 1) % 4)
    assert unknown_below(wrong, 0.5) is None
