"""On several replicas training gives what it gives on one device, up to the order of sums."""

import functools

import numpy as np
import pytest

from tests.distribution.curves_on_replicas import CASES

FAST = ("features with dropout and batch norm",)

ON_REPLICAS = [
    pytest.param(case, replicas, marks=() if case in FAST and replicas == 2 else pytest.mark.slow)
    for case in CASES
    for replicas in (2, 3)
]


@pytest.fixture(scope="module")
def trained(printed_by, request):
    """What so many replicas come to in every case."""
    cases = list(CASES) if request.config.getoption("--slow") else FAST
    return functools.cache(lambda replicas: printed_by("curves_on_replicas", replicas, *cases))


@pytest.mark.parametrize(("case", "replicas"), ON_REPLICAS)
def test_the_loss_of_every_step_is_that_of_one_device(trained, case, replicas):
    """Three replicas do not divide the batch of 8, and of the last batch of 2 one gets nothing."""
    expected, found = trained(0)[case]["losses"], trained(replicas)[case]["losses"]
    assert len(found) == 105
    assert found == pytest.approx(expected, abs=0.03 if "float16" in case else 1e-4)


@pytest.mark.parametrize(("case", "replicas"), ON_REPLICAS)
def test_the_metrics_of_every_epoch_are_those_of_one_device(trained, case, replicas):
    epochs = zip(trained(0)[case]["epochs"], trained(replicas)[case]["epochs"], strict=True)
    for expected, found in epochs:
        if "float16" in case:  # where a gradient overflows by a hair, the norm of the step is 0
            found = {**found, "train_gradient_norm": expected["train_gradient_norm"]}
        assert found == pytest.approx(expected, abs=0.05 if "float16" in case else 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_on_one_replica_the_weights_are_those_without_a_strategy_to_the_bit(trained, case):
    assert trained(1)[case]["digest"] == trained(0)[case]["digest"]


def test_the_cases_learn(trained):
    losses = trained(0)["features with dropout and batch norm"]["losses"]
    assert np.mean(losses[-21:]) < np.mean(losses[:21])
