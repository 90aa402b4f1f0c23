"""The real command, killed at random moments and gone on with, ends as if nothing had happened.

Ten kills a run of the tests; `--kills 50 --chaos-seed 7` makes it fifty, at other moments. What was
killed when is printed (`-s`, or where a test fails).
"""

import csv
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NETWORK = """
import keras

from trainer import Config, Task


class Pixels(Task):
    defaults = Config(
        extractor="none", image_size=12, batch_size=8, epochs=6, augment="standard", ema=0.9,
        log_every=7, checkpoint_every="5steps",
    )

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential(
            [
                layers.Conv2D(8, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.Dropout(0.2),
                layers.Flatten(),
                layers.Dense(classes),
            ]
        )


class Features(Task):
    defaults = Config(
        batch_size=8, epochs=40, log_every=7, schedule="cosine", warmup="5%", accumulate=2,
        checkpoint_every="20steps",
    )

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential([layers.Dense(16, "relu"), layers.Dropout(0.3), layers.Dense(classes)])
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Three classes of noise, each with another tint; 90 to train with, 30 and 30."""
    folder, noise = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for split, count in {"train": 30, "valid": 10, "test": 10}.items():
        for channel, name in enumerate(["cyan", "magenta", "yellow"]):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = noise.integers(0, 256, [8, 8, 3])
                pixels[..., channel] //= 2
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(folder / split / name / f"{number}.png")
    return folder


@pytest.fixture
def command(tmp_path, pictures, vector_module, checkout):
    """Starts the real command in a process of its own; its logs are where it is told."""
    (tmp_path / "chaos_tasks.py").write_text(NETWORK)

    def start(*options):
        return subprocess.Popen(
            [sys.executable, "-m", "trainer.run", *map(str, options)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def finish(process) -> str:
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return printed


def run_folders(logs: Path) -> list[Path]:
    return [path.parent for path in logs.glob("*/*/config.json")]


def outcome(run: Path) -> dict[str, object]:
    result = json.loads((run / "result.json").read_text())
    kept = ("weights_digest", "metrics", "steps", "epochs", "best_step", "stopped")
    return {
        **{name: result[name] for name in kept},
        "history": list(csv.reader((run / "history.csv").open())),
        "points": points(run),
    }


def points(run: Path) -> dict[tuple[str, str, int], object]:
    """Every point of TensorBoard's, each of which must stand there once; speeds have no value."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    found = [
        ((path.parent.name, value.tag, event.step), float(tensor_util.make_ndarray(value.tensor)))
        for path in sorted(run.glob("*/events.*"))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    ]
    assert max(Counter(point for point, _ in found).values()) == 1
    return {point: v if point[1] != "images_per_second" else "" for point, v in found}


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


@pytest.mark.parametrize("kind", ["Features", "Pixels"])
def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bits(
    kind, command, tmp_path, pictures, vector_module, pytestconfig
):
    options = ["--task", f"chaos_tasks:{kind}", "--data", pictures]
    if kind == "Features":
        options += ["--extractor", vector_module]

    def started(logs):
        return command(*options, "--log-dir", logs, "--cache-dir", logs)

    began = time.monotonic()
    finish(started(tmp_path / "whole"))
    seconds = time.monotonic() - began
    [whole] = run_folders(tmp_path / "whole")

    chance = random.Random(f"{kind} {pytestconfig.getoption('--chaos-seed')}")
    killer = Killer(pytestconfig.getoption("--kills") // 2, chance, seconds)
    numbers = itertools.count()
    while killer.left:
        logs = tmp_path / f"logs {next(numbers)}"
        process = started(logs)
        while killer.kills(process):
            killed = run_folders(logs)
            process = command("--resume", killed[0]) if killed else started(logs)
        finish(process)
        [run] = run_folders(logs)
        assert outcome(run) == outcome(whole)
