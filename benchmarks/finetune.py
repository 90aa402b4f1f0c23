"""Five epochs of fine-tuning the last blocks on tf_flowers: processes, to the test accuracy."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Sequence

from benchmarks.flowers import MODULE
from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import run_python, run_trainer

ENDPOINT, EPOCHS, LEARNING_RATE = "block_14", 5, 5e-4

FIT, COLD, WARM = "Keras fit, module in the model", "ours, cold", "ours, activations cached"
WHOLE = "ours, the whole network"

AS_ACCURATE = 0.01
"""Less than what another seed changes."""


def contestants(folders: Folders) -> Sequence[Contestant]:
    """The same part trained by Keras and by us, and all of the network."""
    return [
        Contestant(FIT, functools.partial(_fit, folders), 1),
        Contestant(COLD, functools.partial(_cold, folders), 1),
        Contestant(WARM, functools.partial(_ours, folders, ENDPOINT), 2),
        Contestant(WHOLE, functools.partial(_ours, folders, "all"), 1),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast, and no less accurate."""
    fit, whole = medians[FIT], medians[WHOLE]
    of_fit = {COLD: 2, WARM: 3}
    return [
        *(
            Claim(
                f"{name}: times as fast as {FIT}", fit["seconds"] / medians[name]["seconds"], target
            )
            for name, target in of_fit.items()
        ),
        Claim(
            f"{WARM}: times as fast as {WHOLE}", whole["seconds"] / medians[WARM]["seconds"], 2.5
        ),
        Claim(
            f"{WARM}: test accuracy less that of {FIT}",
            medians[WARM]["test accuracy"] - fit["test accuracy"],
            -AS_ACCURATE,
        ),
    ]


def _fit(folders: Folders) -> Measures:
    script = "benchmarks.scripts.fit_upper_part"
    finished = run_python("-m", script, MODULE, folders.data_dir, EPOCHS, ENDPOINT, LEARNING_RATE)
    printed = re.search(r"^test accuracy (\S+)\s*\Z", finished.output, re.MULTILINE)
    assert printed, f"{script} must print its test accuracy last"
    return {"seconds": finished.seconds, "test accuracy": float(printed[1])}


def _cold(folders: Folders) -> Measures:
    shutil.rmtree(folders.scratch / "cache", ignore_errors=True)
    return _ours(folders, ENDPOINT)


def _ours(folders: Folders, first: str) -> Measures:
    data = ("--task", "flowers", "--data", "tfds", "--data-dir", folders.data_dir)
    part = ("--transfer", "finetune", "--unfreeze-from", first, "--warmup-epochs", 0)
    learns = ("--epochs", EPOCHS, "--finetune-learning-rate", LEARNING_RATE)
    finished = run_trainer(folders.scratch, *data, *part, *learns)
    newest = max(folders.scratch.glob("logs/flowers/*/result.json"))
    accuracy = json.loads(newest.read_bytes())["metrics"]["test"]["accuracy"]
    return {"seconds": finished.seconds, "test accuracy": accuracy}
