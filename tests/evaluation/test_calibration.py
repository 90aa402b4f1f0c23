import dataclasses

import numpy as np
import pytest

from trainer.evaluation.calibration import (
    calibrated,
    fit_temperature,
    has_temperature,
    reliability,
)


def cross_entropy(output, temperature):
    scores = calibrated(output, temperature).scores.astype(np.float64)
    if output.kind == "class":
        losses = -np.log(scores[np.arange(output.examples), output.labels])
    else:
        losses = -np.log(np.where(output.has_label, scores, 1 - scores)).sum(axis=1)
    return float(np.average(losses, weights=output.weights))


@pytest.mark.parametrize("kind", ["class", "labels"])
def test_no_other_temperature_makes_the_labels_more_probable(make_output, kind):
    output = make_output(kind, scale=8.0)
    best = fit_temperature(output)
    # As one example more of each outcome moves it a little, its neighbours are a tenth away.
    losses = [cross_entropy(output, factor * best) for factor in (0.9, 1.0, 1.1)]
    assert losses[1] == min(losses)
    assert best > 2


def test_logits_that_are_too_small_get_a_temperature_below_1(make_output):
    assert fit_temperature(make_output(scale=0.2)) < 0.5


def test_a_split_without_mistakes_has_a_temperature_too(make_output):
    output = make_output()
    perfect = dataclasses.replace(
        output, logits=10 * np.eye(4, dtype=np.float32)[output.labels], weights=output.weights + 1
    )
    assert 1 < fit_temperature(perfect) < 2


def test_the_most_probable_class_stays_the_same(make_output):
    output = make_output(scale=8.0)
    np.testing.assert_array_equal(calibrated(output, 3.0).predicted, output.predicted)


@pytest.mark.parametrize("kind", ["class", "labels"])
def test_a_temperature_of_1_changes_no_score(make_output, kind):
    output = make_output(kind)
    np.testing.assert_allclose(calibrated(output, 1.0).scores, output.scores, atol=1e-6)


def test_numbers_have_no_temperature(make_output):
    assert not has_temperature(make_output("numbers"))


def test_scores_that_are_no_softmax_of_the_logits_have_no_temperature(make_output):
    output = make_output()
    assert has_temperature(output)
    assert not has_temperature(output.with_scores(output.scores**2))


def test_the_calibration_error_is_the_mean_distance_of_confidence_and_accuracy(make_output):
    output = make_output(scale=8.0)
    confidence, right = output.scores.max(axis=1), output.predicted == output.labels
    expected, total = 0.0, output.weights.sum()
    for low in np.arange(15) / 15:
        here = (confidence >= low) & (confidence < low + 1 / 15 + (low > 0.93))
        weights = output.weights[here]
        if weights.sum():
            gap = np.average(confidence[here], weights=weights) - np.average(
                right[here], weights=weights
            )
            expected += weights.sum() / total * abs(gap)
    assert reliability(output).expected_calibration_error == pytest.approx(expected, abs=1e-6)


def test_the_temperature_lowers_the_calibration_error(make_output):
    output = make_output(scale=8.0)
    before = reliability(output).expected_calibration_error
    after = reliability(calibrated(output, fit_temperature(output))).expected_calibration_error
    assert after < before / 2


def test_labels_are_calibrated_one_by_one(make_output):
    output = make_output("labels")
    assert reliability(output).weight.sum() == pytest.approx(4 * output.weights.sum())
