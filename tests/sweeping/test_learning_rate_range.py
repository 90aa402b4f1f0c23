"""The range test: what it suggests of a curve, and the curve of a task."""

import csv

import numpy as np
import pytest

from trainer.core.errors import UserError
from trainer.sweeping.learning_rate_range import (
    FIRST,
    LAST,
    STEPS,
    RangeTest,
    _before_divergence,
    find_learning_rate,
)
from trainer.sweeping.plan import Plan, SweepOptions

EXPONENTS = np.linspace(-6, 0, STEPS)


def test_the_learning_rates_rise_from_the_first_to_the_last():
    rates = RangeTest(np.ones(STEPS)).learning_rates
    assert (rates[0], rates[-1]) == (FIRST, pytest.approx(LAST))


def test_it_suggests_where_the_loss_falls_the_fastest():
    losses = 2 - 1.8 / (1 + np.exp(-4 * (EXPONENTS + 3)))  # which is the steepest at 1e-3
    assert 1e-3 <= RangeTest(losses).suggestion <= 3e-3  # an average is late


def test_it_suggests_nothing_where_the_loss_only_rises():
    assert RangeTest(np.linspace(1, 2, STEPS)).suggestion is None


def test_the_curve_ends_where_the_loss_is_not_finite():
    losses = np.ones(STEPS)
    losses[150] = np.nan
    assert len(_before_divergence(losses)) == 150


def test_the_curve_ends_where_the_loss_is_far_above_its_least():
    losses = np.r_[np.ones(100), np.full(100, 50.0)]
    assert 100 < len(_before_divergence(losses)) < 105


def test_a_loss_that_is_never_finite_is_said_in_a_line():
    with pytest.raises(UserError, match="not finite within the first steps"):
        _before_divergence(np.full(STEPS, np.nan))


def test_it_draws_the_curve_of_a_task(config):
    found = find_learning_rate(Plan(config, SweepOptions(find_learning_rate=True)))
    [folder] = config.log_dir.glob("blobs/learning-rate_*")
    assert found == {"folder": str(folder), "learning_rate": found["learning_rate"]}
    assert 1e-5 < found["learning_rate"] < 1
    with (folder / "learning_rate.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["learning_rate"]) == FIRST
    assert (folder / "learning_rate.png").read_bytes().startswith(b"\x89PNG")
    assert list(folder.glob("train/events.*"))
