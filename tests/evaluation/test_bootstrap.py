import numpy as np
import pytest

from trainer.evaluation.bootstrap import intervals

VALUES = np.random.default_rng(3).normal(5, 2, size=400)


def mean(weights):
    return {"mean": float(np.average(VALUES, weights=weights))}


def test_the_interval_of_a_mean_is_about_two_standard_errors_on_either_side():
    low, high = intervals(mean, np.ones(400, np.float32))["mean"]
    error = VALUES.std() / 20
    assert (low, high) == pytest.approx(
        (VALUES.mean() - 1.96 * error, VALUES.mean() + 1.96 * error), abs=0.1 * error * 3
    )


def test_examples_of_weight_0_do_not_count():
    weights = np.ones(400, np.float32)
    weights[VALUES > 5] = 0
    low, high = intervals(mean, weights)["mean"]
    assert low < VALUES[VALUES <= 5].mean() < high < 5


def test_the_same_seed_gives_the_same_interval():
    weights = np.ones(400, np.float32)
    assert intervals(mean, weights, seed=1) == intervals(mean, weights, seed=1)
