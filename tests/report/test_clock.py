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


def test_a_phase_under_way_counts_already():
    clock = Clock()
    with clock.phase("train"):
        time.sleep(0.02)
        assert clock.seconds["train"] >= 0.02
        assert clock.seconds["startup"] < 0.02


def test_a_phase_that_something_breaks_off_counts():
    clock = Clock()
    with pytest.raises(KeyboardInterrupt), clock.phase("train"):
        time.sleep(0.02)
        raise KeyboardInterrupt
    assert clock.seconds["train"] >= 0.02


EARLIER = {
    "startup": 3.0,
    "extract": 5.0,
    "train": 59.0,
    "evaluate": 2.0,
    "report": 1.0,
    "total": 70.0,
}


def test_what_a_run_took_before_it_was_interrupted_counts():
    clock = Clock()
    clock.add(EARLIER)
    assert clock.seconds == pytest.approx(EARLIER, abs=0.05)


def test_a_run_of_a_release_without_reports_counts_too():
    clock = Clock()
    clock.add({name: value for name, value in EARLIER.items() if name != "report"})
    assert clock.seconds["report"] == 0


def test_a_run_that_is_interrupted_again_and_again_adds_up():
    clock = Clock()
    for _ in range(3):
        earlier, clock = clock.seconds, Clock()
        clock.add(earlier)
        clock.add(EARLIER)
    assert clock.seconds == pytest.approx({k: 3 * v for k, v in EARLIER.items()}, abs=0.05)


def test_the_phases_make_up_the_total_of_an_interrupted_run_too():
    clock = Clock()
    clock.add(EARLIER)
    with clock.phase("train"):
        time.sleep(0.02)
    seconds = clock.seconds
    parts = sum(value for name, value in seconds.items() if name != "total")
    assert parts == pytest.approx(seconds["total"], abs=0.003)


def test_that_somebody_sets_the_time_changes_no_seconds(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with clock.phase("train"):
        pass
    assert 0 <= clock.seconds["train"] < 1
    assert 0 <= clock.seconds["total"] < 1
