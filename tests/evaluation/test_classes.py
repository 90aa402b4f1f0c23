import numpy as np
import pytest
from sklearn import metrics

from trainer.evaluation.classes import (
    class_measures,
    confusion_matrix,
    worst_confusions,
)


@pytest.mark.parametrize("kind", ["class", "labels"])
def test_precision_recall_and_f1_are_those_of_scikit_learn(make_output, kind):
    output = make_output(kind)
    ours = class_measures(output)
    expected = metrics.precision_recall_fscore_support(
        output.labels, output.predicted, sample_weight=output.weights, zero_division=0
    )
    for values, of_sklearn in zip(
        (ours.precision, ours.recall, ours.f1, ours.support), expected, strict=True
    ):
        np.testing.assert_allclose(values, of_sklearn, atol=1e-6)


def test_a_class_that_is_never_predicted_has_measures_of_0(make_output):
    output = make_output()
    never = output.with_scores(output.scores * [1, 1, 1, 0])
    ours = class_measures(never)
    assert (ours.precision[3], ours.recall[3], ours.f1[3]) == (0, 0, 0)


def test_the_confusion_matrix_is_that_of_scikit_learn(make_output):
    output = make_output()
    expected = metrics.confusion_matrix(
        output.labels, output.predicted, sample_weight=output.weights
    )
    np.testing.assert_allclose(confusion_matrix(output), expected)


def test_the_most_frequent_confusion_comes_first():
    matrix = np.array([[5.0, 1, 0], [3, 7, 0], [0, 0, 2]])
    assert worst_confusions(matrix, "abc") == [("b", "a", 3.0), ("a", "b", 1.0)]
