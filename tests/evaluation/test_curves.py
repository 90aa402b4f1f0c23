import numpy as np
import pytest
from sklearn import metrics

from trainer.evaluation.curves import threshold_counts


@pytest.fixture(scope="module", params=["scores that differ", "scores with ties"])
def one_class(request, make_output):
    output = make_output("labels")
    scores = output.scores[:, 0]
    if "ties" in request.param:
        scores = scores.round(1)
    return output.has_label[:, 0], scores, output.weights


def test_average_precision_is_that_of_scikit_learn(one_class):
    is_right, scores, weights = one_class
    expected = metrics.average_precision_score(is_right, scores, sample_weight=weights)
    assert threshold_counts(*one_class).average_precision == pytest.approx(expected, abs=1e-6)


def test_the_area_under_the_roc_curve_is_that_of_scikit_learn(one_class):
    is_right, scores, weights = one_class
    expected = metrics.roc_auc_score(is_right, scores, sample_weight=weights)
    assert threshold_counts(*one_class).area_under_roc == pytest.approx(expected, abs=1e-6)


def test_precision_and_recall_are_those_of_scikit_learn(one_class):
    is_right, scores, weights = one_class
    counted = weights > 0
    precision, recall, _ = metrics.precision_recall_curve(
        is_right[counted], scores[counted], sample_weight=weights[counted]
    )
    ours = threshold_counts(*one_class)
    np.testing.assert_allclose(ours.precision, precision[:-1][::-1], atol=1e-6)
    np.testing.assert_allclose(ours.recall, recall[:-1][::-1], atol=1e-6)


def test_counts_at_other_thresholds_are_of_the_scores_that_are_not_below(one_class):
    is_right, scores, weights = one_class
    thresholds = np.linspace(0, 1, 11)
    found = threshold_counts(*one_class).at(thresholds)
    expected = [weights[is_right & (scores >= threshold)].sum() for threshold in thresholds]
    np.testing.assert_allclose(found.true_positives, expected, rtol=1e-6)


def test_without_a_right_example_recall_and_average_precision_are_0(one_class):
    _, scores, weights = one_class
    none_right = threshold_counts(np.zeros(len(scores), bool), scores, weights)
    assert none_right.average_precision == 0
    assert none_right.recall.max() == 0
