"""Contestants take turns, and the medians of their runs are reported."""

import pytest

from benchmarks.measuring import (
    Claim,
    Contestant,
    images_per_second,
    interleaved,
    medians,
    milliseconds_per_step,
    warmed_up,
)


@pytest.fixture
def order():
    """The names of those that have run, in order."""
    return []


@pytest.fixture
def contestant(order):
    def make(name, rounds=1):
        def run():
            order.append(name)
            return {"seconds": float(len(order))}

        return Contestant(name, run, rounds)

    return make


def ignored(line):
    pass


def test_each_round_has_every_contestant_once(contestant, order):
    interleaved([contestant("a", 3), contestant("b", 3)], None, ignored)
    assert order == ["a", "b", "a", "b", "a", "b"]


def test_slow_contestants_run_less_often(contestant, order):
    interleaved([contestant("slow", 1), contestant("fast", 3)], None, ignored)
    assert order == ["slow", "fast", "fast", "fast"]


def test_a_given_number_of_rounds_applies_to_every_contestant(contestant, order):
    interleaved([contestant("slow", 1), contestant("fast", 3)], 2, ignored)
    assert order == ["slow", "fast", "slow", "fast"]


def test_the_measures_of_every_run_are_returned(contestant):
    runs = interleaved([contestant("a", 2), contestant("b", 2)], None, ignored)
    assert runs == {
        "a": [{"seconds": 1.0}, {"seconds": 3.0}],
        "b": [{"seconds": 2.0}, {"seconds": 4.0}],
    }


def test_every_run_is_reported_on_a_line(contestant):
    lines = []
    interleaved([contestant("a"), contestant("b")], None, lines.append)
    assert lines == ["a: 1 seconds", "b: 2 seconds"]


def test_the_median_is_taken_of_each_quantity_separately():
    runs = [{"s": 1.0, "MB": 9.0}, {"s": 2.0, "MB": 7.0}, {"s": 30.0, "MB": 8.0}]
    assert medians({"a": runs}) == {"a": {"s": 2.0, "MB": 8.0}}


def test_warming_up_is_one_run_that_is_not_measured(contestant, order):
    contestants = warmed_up([contestant("a"), contestant("b")])
    assert order == ["a", "b"]
    assert interleaved(contestants, 1, ignored)["a"] == [{"seconds": 3.0}]


def test_milliseconds_per_step_divide_the_run_by_its_steps(monkeypatch):
    times = iter([10.0, 10.6])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    assert milliseconds_per_step(lambda: None, steps=3)() == {"ms a step": pytest.approx(200)}


def test_images_per_second_divide_the_images_by_the_run(monkeypatch):
    times = iter([10.0, 10.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    assert images_per_second(lambda: None, images=64)() == {"images/s": 128}


@pytest.mark.parametrize(
    ("figure", "bounds", "holds"),
    [
        (10.0, {"at_least": 10}, True),
        (9.9, {"at_least": 10}, False),
        (1.3, {"at_most": 1.3}, True),
        (1.4, {"at_most": 1.3}, False),
        (1.4, {}, True),
    ],
)
def test_a_claim_holds_within_its_targets(figure, bounds, holds):
    assert Claim("times as fast", figure, **bounds).holds is holds
