import time

import pytest

from trainer.loop.triggers import (
    EverySeconds,
    EverySpan,
    EverySteps,
    EveryStepsAndAtTheEnd,
    TimeBudget,
)


def test_every_steps_ends_a_span_at_the_next_multiple():
    assert [EverySteps(5).next(step) for step in (0, 4, 5, 6)] == [5, 5, 10, 10]


def test_every_steps_is_due_at_multiples_alone():
    assert [step for step in range(1, 12) if EverySteps(5).due(step)] == [5, 10]


def test_every_span_never_ends_one_but_is_always_due():
    assert EverySpan().next(7) > 10**12
    assert EverySpan().due(7)


def test_about_every_begins_with_single_steps():
    assert EverySeconds(0.25).next(40) == 41


def test_about_every_takes_as_many_steps_as_the_time_allows():
    trigger = EverySeconds(0.25)
    trigger.measured(steps=10, seconds=0.1)
    assert trigger.next(100) == 125


def test_about_every_takes_one_step_where_a_step_is_longer_than_the_time():
    trigger = EverySeconds(0.25)
    trigger.measured(steps=1, seconds=3.0)
    assert trigger.next(100) == 101


class Ending:
    finished = False


def test_at_the_end_one_that_comes_every_few_steps_is_due_too():
    trainer = Ending()
    trigger = EveryStepsAndAtTheEnd(5, trainer)
    assert [step for step in range(1, 12) if trigger.due(step)] == [5, 10]
    trainer.finished = True
    assert trigger.due(12)


def test_the_end_is_nothing_that_ends_a_span():
    trigger = EveryStepsAndAtTheEnd(5, Ending())
    assert [trigger.next(step) for step in (0, 4, 5, 6)] == [5, 5, 10, 10]


def test_about_every_takes_a_single_step_after_none():
    trigger = EverySeconds(0.25)
    trigger.measured(steps=0, seconds=1e-300)
    assert trigger.next(100) == 101


@pytest.fixture
def clock(monkeypatch):
    """Time that goes as it is told, in seconds from 0."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_share_of_time_begins_after_a_second(clock):
    trigger = TimeBudget(0.02, Ending())
    clock[0] = 0.9
    assert not trigger.due(7)
    clock[0] = 1.0
    assert trigger.due(8)


def test_what_takes_long_is_done_seldom(clock):
    trigger = TimeBudget(0.02, Ending())

    def take_a_tenth_of_a_second():
        clock[0] += 0.1

    clock[0] = 1.0
    trigger.timed(take_a_tenth_of_a_second)()
    clock[0] = 1.1 + 4.9
    assert not trigger.due(7)
    clock[0] = 1.1 + 5.1
    assert trigger.due(7)


def test_a_share_of_time_is_due_where_training_ends_and_ends_no_span(clock):
    trainer = Ending()
    trigger = TimeBudget(0.02, trainer)
    assert trigger.next(7) > 10**12
    trainer.finished = True
    assert trigger.due(7)
