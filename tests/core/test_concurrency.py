import functools
import threading
import time

import pytest

from trainer.core import concurrency
from trainer.core.concurrency import MOST_AT_ONCE, side_by_side, usable_cores


@pytest.fixture
def cores(monkeypatch):
    """Makes this process have so many."""
    return lambda count: monkeypatch.setattr(concurrency, "usable_cores", lambda: count)


def test_results_come_in_the_order_of_the_calls(cores):
    cores(4)

    def slow_first(number):
        time.sleep(0.02 if number % 4 == 0 else 0)
        return number

    calls = (functools.partial(slow_first, number) for number in range(40))
    assert list(side_by_side(calls)) == list(range(40))


@pytest.mark.parametrize(("count", "expected"), [(1, 2), (3, 4), (MOST_AT_ONCE + 5, MOST_AT_ONCE)])
def test_a_call_for_each_core_and_one_more_run_at_a_time(cores, count, expected):
    cores(count)
    lock, running, most = threading.Lock(), 0, 0

    def call():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    list(side_by_side([call] * 40))
    assert most == expected


def test_no_more_calls_are_made_than_results_are_taken_but_those_that_run(cores):
    cores(2)
    made = 0

    def calls():
        nonlocal made
        for number in range(100):
            made += 1
            yield lambda number=number: number

    results = side_by_side(calls())
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert made <= 5 + 3 + 1


def test_the_error_of_a_call_comes_in_its_turn(cores):
    cores(2)

    def call(number):
        if number == 3:
            raise ValueError("of call 3")
        return number

    taken = []
    with pytest.raises(ValueError, match="of call 3"):
        for result in side_by_side(functools.partial(call, number) for number in range(9)):
            taken.append(result)
    assert taken == [0, 1, 2]


def test_a_process_may_use_one_core_at_least():
    assert usable_cores() >= 1
