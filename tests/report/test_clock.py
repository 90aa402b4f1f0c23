import time

import pytest

from trainer.report.clock import Clock


def test_a_phase_has_the_seconds_spent_in_it():
    clock = Clock()
    with clock.phase("train"):
        time.sleep(0.05)
    assert clock.seconds["train"] == pytest.approx(0.05, abs=0.04)


def test_a_phase_entered_twice_adds_up():
    clock = Clock()
    for _ in range(2):
        with clock.phase("extract"):
            time.sleep(0.03)
    assert clock.seconds["extract"] >= 0.06


def test_the_phases_make_up_the_total():
    clock = Clock()
    time.sleep(0.02)
    with clock.phase("train"):
        time.sleep(0.02)
    seconds = clock.seconds
    parts = sum(value for name, value in seconds.items() if name != "total")
    assert parts == pytest.approx(seconds["total"], abs=0.003)


def test_what_is_in_no_phase_is_startup():
    clock = Clock()
    time.sleep(0.05)
    assert clock.seconds["startup"] >= 0.05
