"""Ten epochs on tf_flowers: whole processes, from the command to the test accuracy."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import CHECKOUT, run_python, run_trainer
from tasks.flowers import Flowers

MODULE = CHECKOUT / "trainer" / "modules" / "efficientnet_lite0"

MINUTES, SECONDS = 1, 3
"""Rounds of what takes minutes, and of what takes seconds."""

CLASSIC, COLD, WARM = "the classic script", "ours, cold", "ours, warm"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """The scripts that people write, and ours without and with cached features."""
    script = functools.partial(functools.partial, _script, folders.data_dir)
    return [
        Contestant(CLASSIC, script("classic"), MINUTES),
        Contestant("Keras fit, module in the model", script("fit_module"), MINUTES),
        Contestant("Keras fit on features", script("fit_features"), SECONDS),
        Contestant("scikit-learn on features", script("logistic_regression"), SECONDS),
        Contestant(COLD, functools.partial(_cold, folders), SECONDS),
        Contestant(WARM, functools.partial(_warm, folders), SECONDS),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast, and no less accurate."""
    classic = medians[CLASSIC]
    targets = {COLD: 10, WARM: 50}
    faster = [
        Claim(
            f"{name}: times as fast as {CLASSIC}",
            classic["seconds"] / medians[name]["seconds"],
            at_least=target,
        )
        for name, target in targets.items()
    ]
    as_accurate = [
        Claim(
            f"{name}: test accuracy less that of {CLASSIC}",
            medians[name]["test accuracy"] - classic["test accuracy"],
            at_least=0,
        )
        for name in targets
    ]
    return faster + as_accurate


def _script(data_dir: Path, name: str) -> Measures:
    module = f"benchmarks.scripts.{name}"
    finished = run_python("-m", module, MODULE, data_dir, Flowers.defaults.epochs)
    printed = re.search(r"^test accuracy (\S+)\s*\Z", finished.output, re.MULTILINE)
    assert printed, f"{module} must print its test accuracy last"
    return {"seconds": finished.seconds, "test accuracy": float(printed[1])}


def _cold(folders: Folders) -> Measures:
    shutil.rmtree(folders.scratch / "cache", ignore_errors=True)
    return _warm(folders)


def _warm(folders: Folders) -> Measures:
    data = ("--data", "tfds", "--data-dir", folders.data_dir)
    finished = run_trainer(folders.scratch, "--task", "flowers", *data)
    # Run folders are named by the time.
    newest = max(folders.scratch.glob("logs/flowers/*/result.json"))
    accuracy = json.loads(newest.read_bytes())["metrics"]["test"]["accuracy"]
    return {"seconds": finished.seconds, "test accuracy": accuracy}
