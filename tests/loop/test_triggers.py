import time

import pytest

from trainer.loop.triggers import Always, EverySeconds, EverySteps, TimeBudget


def due_steps(trigger):
    return [step for step in range(1, 12) if trigger.due(step, finished=False)]


def test_always_ends_no_call_and_is_due_after_each():
    assert Always().next(7) > 10**12
    assert Always().due(7, finished=False)


def test_every_steps_ends_a_call_at_the_next_multiple():
    assert [EverySteps(5).next(step) for step in (0, 4, 5, 6)] == [5, 5, 10, 10]


def test_every_steps_is_due_at_multiples_only():
    assert due_steps(EverySteps(5)) == [5, 10]
    assert not EverySteps(5).due(12, finished=True)


def test_every_steps_is_due_at_the_end_too_if_asked():
    assert due_steps(EverySteps(5, at_end=True)) == [5, 10]
    assert EverySteps(5, at_end=True).due(12, finished=True)


def test_every_seconds_begins_with_single_steps():
    assert EverySeconds(0.25).next(40) == 41


def test_every_seconds_takes_as_many_steps_as_the_time_allows():
    trigger = EverySeconds(0.25)
    trigger.observe(steps=10, seconds=0.1)
    assert trigger.next(100) == 125


def test_every_seconds_takes_one_step_where_a_step_is_longer_than_the_time():
    trigger = EverySeconds(0.25)
    trigger.observe(steps=1, seconds=3.0)
    assert trigger.next(100) == 101


@pytest.fixture
def clock(monkeypatch):
    """A time that the test sets, in seconds from 0."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_time_budget_is_due_first_after_a_second(clock):
    trigger = TimeBudget(0.02)
    clock[0] = 0.9
    assert not trigger.due(7, finished=False)
    clock[0] = 1.0
    assert trigger.due(8, finished=False)


def test_a_time_budget_is_due_less_often_the_longer_the_action_takes(clock):
    trigger = TimeBudget(0.02)

    def take_a_tenth_of_a_second():
        clock[0] += 0.1

    clock[0] = 1.0
    trigger.timed(take_a_tenth_of_a_second)()
    clock[0] = 1.1 + 4.9
    assert not trigger.due(7, finished=False)
    clock[0] = 1.1 + 5.1
    assert trigger.due(7, finished=False)


def test_a_time_budget_ends_no_call_and_is_due_at_the_end(clock):
    trigger = TimeBudget(0.02)
    assert trigger.next(7) > 10**12
    assert trigger.due(7, finished=True)
