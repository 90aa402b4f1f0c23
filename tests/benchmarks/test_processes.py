"""A process is run to its end, and its output, time and memory are returned."""

import time

import pytest

from benchmarks.processes import run_python

ALLOCATED = 300
"""Megabytes."""


@pytest.fixture
def peak_of(python):
    """The peak memory of a program, in MB, asked for by a process that is itself small."""

    def measured(program: str) -> float:
        ask = f"from benchmarks.processes import run_python; print(run_python('-c', {program!r})"
        return float(python("-c", f"{ask}.peak_megabytes)").out)

    return measured


def test_its_output_is_returned():
    assert run_python("-c", "print('test accuracy 0.9')").output == "test accuracy 0.9\n"


def test_its_seconds_are_those_of_the_whole_process():
    assert 0.3 <= run_python("-c", "import time; time.sleep(0.3)").seconds < 3


def test_times_that_it_prints_are_comparable_with_its_start():
    before = time.time()
    finished = run_python("-c", "import time; print(time.time())")
    assert before <= finished.began < float(finished.output) < finished.began + finished.seconds


def test_its_peak_memory_is_the_most_at_any_time(peak_of):
    idle = peak_of("pass")
    assert ALLOCATED < peak_of(f"x = b'x' * {ALLOCATED}_000_000; del x") < ALLOCATED + 2 * idle


def test_the_memory_of_its_own_children_counts(peak_of):
    child = f"x = b'x' * {ALLOCATED}_000_000"
    ask = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert peak_of(ask) > ALLOCATED


def test_it_runs_in_the_checkout(checkout):
    assert run_python("-c", "import os; print(os.getcwd())").output.strip() == str(checkout)


def test_a_failure_has_the_standard_error_of_the_process():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run_python("-c", "1 / 0")
