"""Two workers on this machine: together they come to what one process comes to; none is missed."""

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer.report.result import read_history

EPOCHS = 60
SECONDS_TO_NOTICE = 60
"""How long the others may take to end, when one has ended."""


class Group:
    """Two workers that train, in a process group of their own."""

    def __init__(self, checkout, folder, *options):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trainer.launch", "--workers", "2", *map(str, options)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []

    def read_until(self, text):
        for line in self._process.stdout:
            self.lines.append(line)
            if text in line:
                return
        pytest.fail("".join(self.lines)[-3000:])

    def send(self, number, worker):
        command = ["pgrep", "-P", str(self._process.pid)]
        found = subprocess.run(command, capture_output=True, text=True)
        workers = sorted(map(int, found.stdout.split()))
        if len(workers) == 2:  # else they have ended before
            os.kill(workers[worker], number)

    def end(self):
        """The exit code, and how long the end took."""
        began = time.monotonic()
        self.lines += self._process.stdout
        return self._process.wait(), time.monotonic() - began

    @property
    def errors(self):
        return [line for line in self.lines if line.startswith("error:")]


@pytest.fixture
def options(noise_folder, vector_module, tmp_path):
    """Of a run of seconds on features, with its folders in tmp_path."""
    return [
        *("--task", "flowers", "--data", noise_folder, "--extractor", vector_module),
        *("--image-size", 8, "--batch-size", 9, "--epochs", EPOCHS, "--no-report"),
        *("--checkpoint-every", "50steps", "--log-dir", tmp_path / "logs"),
        *("--cache-dir", tmp_path / "cache"),
    ]


@pytest.fixture
def group(checkout, tmp_path):
    return lambda *options: Group(checkout, tmp_path, *options)


@pytest.fixture
def digest_on_two_devices(start, options, tmp_path):
    """What one process comes to with two replicas; workers come to the same bits."""
    process = start(*options, "--strategy", "mirrored", "--devices", 2, "--run-name", "mirrored")
    printed, _ = process.communicate()
    assert process.returncode == 0, printed[-2000:]
    return digest(tmp_path / "logs" / "flowers" / "mirrored")


def digest(run: Path) -> str:
    return json.loads((run / "result.json").read_text())["weights_digest"]


def resumed(group, lines):
    """The run folder after the command of a worker's last line, which ends well."""
    command = re.search(r"python -m trainer\.launch (.*--resume .*)", "".join(lines))[1]
    again = group(*[part for part in shlex.split(command) if part not in ("--workers", "2")])
    assert again.end()[0] == 0, "".join(again.lines)[-2000:]
    return Path(shlex.split(command)[-1])


@pytest.mark.slow
def test_a_worker_that_is_killed_is_noticed_and_the_run_resumed_to_the_same_bits(
    group, options, digest_on_two_devices
):
    killed = group(*options)
    killed.read_until("epoch 10/60")
    killed.send(signal.SIGKILL, worker=1)
    code, seconds = killed.end()
    assert (code, len(killed.errors)) == (1, 1)
    assert "Traceback" not in "".join(killed.lines)
    assert seconds < SECONDS_TO_NOTICE
    assert digest(resumed(group, killed.lines)) == digest_on_two_devices


@pytest.mark.slow
@pytest.mark.parametrize("worker", [0, 1])
def test_sigterm_to_one_saves_and_ends_all(group, options, digest_on_two_devices, worker):
    asked = group(*options)
    asked.read_until(" 5/60")
    asked.send(signal.SIGTERM, worker)
    code, seconds = asked.end()
    assert code == 143
    assert seconds < SECONDS_TO_NOTICE
    assert sum("stopped by SIGTERM at step" in line for line in asked.lines) == 2
    assert digest(resumed(group, asked.lines)) == digest_on_two_devices


@pytest.mark.slow
@pytest.mark.parametrize("worker", [0, 1])
def test_a_worker_that_hangs_is_noticed(group, options, worker):
    stopped = group(*options)
    stopped.read_until("epoch 10/60")
    stopped.send(signal.SIGSTOP, worker)
    code, seconds = stopped.end()
    assert (code, len(stopped.errors)) == (1, 1)
    assert seconds < 240  # 120 until it is noticed, 60 until the group is ended


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_bits(
    group, options, digest_on_two_devices, tmp_path, pytestconfig
):
    """In the import, extraction, training, a checkpoint or validation; the chief or the other.

    `--kills 10 --chaos-seed 3` kills as often, at the moments that follow from the seed.
    """
    seed = pytestconfig.getoption("--chaos-seed")
    chance = random.Random(seed)
    for number in range(pytestconfig.getoption("--kills")):
        name = f"killed-{seed}-{number}"
        run = tmp_path / "logs" / "flowers" / name
        killed = group(*options, "--run-name", name)
        time.sleep(chance.uniform(4, 25))
        killed.send(signal.SIGKILL, worker=chance.randrange(2))
        killed.end()
        print(f"kill {number}: {killed.lines[-1:]}")
        if not (run / "result.json").exists():  # else it had ended before
            has_checkpoint = any((run / "checkpoints").glob("step-*"))
            run = run if has_checkpoint else run.with_name(f"{name}-again")
            of_new = (*options, "--run-name", run.name)
            again = group("--resume", run) if has_checkpoint else group(*of_new)
            assert again.end()[0] == 0, "".join(again.lines)[-2000:]
        assert digest(run) == digest_on_two_devices


@pytest.mark.slow
def test_a_run_of_two_workers_is_resumed_on_one_device(
    group, options, start, run_command, tmp_path
):
    asked = group(*options, "--run-name", "two")
    asked.read_until(" 5/60")
    asked.send(signal.SIGTERM, worker=0)
    asked.end()
    run = tmp_path / "logs" / "flowers" / "two"
    process = start("--resume", run, "--strategy", "one")
    printed, _ = process.communicate()
    assert process.returncode == 0
    assert "the run began on 2 replicas, not 1: last bits may differ" in printed
    alone = run_command(*options, "--run-name", "alone")
    assert alone.code == 0
    two, one = (
        json.loads((path / "result.json").read_text())["metrics"]["train"]["loss"]
        for path in (run, run.parent / "alone")
    )
    assert two == pytest.approx(one, abs=1e-4)


@pytest.mark.slow
def test_on_images_two_workers_record_what_one_device_does(
    group, run_command, noise_folder, tmp_path
):
    """Each decodes its rows: of the last batch of 2 examples the second worker has none."""
    places = ("--log-dir", tmp_path / "logs", "--cache-dir", tmp_path / "cache")
    options = ("--task", "tests.networks:Pixels", "--data", noise_folder, "--no-report", *places)
    assert group(*options, "--run-name", "two").end()[0] == 0
    assert run_command(*options, "--run-name", "one").code == 0
    two, one = (
        read_history(tmp_path / "logs" / "pixels" / name / "history.csv") for name in ("two", "one")
    )
    assert len(one) == 6
    for found, expected in zip(two, one, strict=True):
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_a_mistake_is_told_once_before_workers_are_started(group):
    mistaken = group("--task", "flwers")
    assert mistaken.end()[0] == 2
    assert len(mistaken.errors) == 1


def test_without_a_cluster_workers_say_how_to_try_them_out(start, options):
    process = start(*options, "--strategy", "workers")
    printed, _ = process.communicate()
    assert process.returncode == 2
    assert "python -m trainer.launch --workers 2" in printed.splitlines()[-1]
