"""The real command, killed at random moments and gone on with, ends as if nothing had happened.

Behind `--slow`; test_signals.py kills one run. `--kills 25 --chaos-seed 7` kills each kind of run
25 times, at other moments. What was killed when is printed (`-s`, or where a test fails).
"""

import itertools
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest


def finish(process) -> str:
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return printed


def run_folders(logs: Path) -> list[Path]:
    return [path.parent for path in logs.glob("*/*/config.json")]


class Killer:
    """Kills processes at random moments, so many in all."""

    def __init__(self, kills: int, chance: random.Random, seconds: float) -> None:
        self.left, self._chance, self._seconds = kills, chance, seconds

    def kills(self, process) -> bool:
        """Whether it was faster than the process was with its work."""
        if not self.left:
            return False
        moment = self._chance.uniform(0.3, 0.95) * self._seconds
        try:
            process.wait(moment)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        lines = process.communicate()[0].splitlines() or ["nothing was printed"]
        print(f"killed after {moment:.2f} s, at: {lines[-1]}")
        self.left -= 1
        return True


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Features", "Pixels"])
def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bits(
    kind, start, tmp_path, noise_folder, vector_module, came_to, pytestconfig
):
    options = ["--task", f"tests.networks:{kind}"]
    options += ["--data", noise_folder]
    if kind == "Features":
        options += ["--extractor", vector_module]

    def started(logs):
        return start(*options, "--log-dir", logs, "--cache-dir", logs)

    began = time.monotonic()
    finish(started(tmp_path / "whole"))
    seconds = time.monotonic() - began
    [whole] = run_folders(tmp_path / "whole")

    chance = random.Random(f"{kind} {pytestconfig.getoption('--chaos-seed')}")
    killer = Killer(pytestconfig.getoption("--kills"), chance, seconds)
    numbers = itertools.count()
    while killer.left:
        logs = tmp_path / f"logs {next(numbers)}"
        process = started(logs)
        while killer.kills(process):
            killed = run_folders(logs)
            process = start("--resume", killed[0]) if killed else started(logs)
        finish(process)
        [run] = run_folders(logs)
        assert came_to(run) == came_to(whole)
