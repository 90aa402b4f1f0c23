"""From the command to the first steps of a warm run, beside the import of TensorFlow alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import Finished, run_python, run_trainer

ROUNDS = 5

FIRST_STEP, FIRST_CALL = "before the first step is traced", "with the first call done"
"""The moments whose time the stopwatch's trainer prints."""

IMPORT = "import tensorflow"
STEP, CALL = f"ours, warm: {FIRST_STEP}", f"ours, warm: {FIRST_CALL}"
PREDICT = "predict, one photo, the whole process"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """The import, and warm runs of flowers up to two moments."""
    data = ("--task", "flowers", "--data", "tfds", "--data-dir", folders.data_dir)
    run_trainer(folders.scratch, *data, "--epochs", 1)  # the features are cached from here on
    run_python("-m", "benchmarks.photo_files", folders.data_dir, folders.scratch / "photos", 1)
    stopped = functools.partial(
        run_trainer, folders.scratch, *data, "--trainer", "benchmarks.stopwatch:Stopwatch"
    )
    return [
        Contestant(IMPORT, _import, ROUNDS),
        Contestant(STEP, lambda: _until(FIRST_STEP, stopped()), ROUNDS),
        Contestant(CALL, lambda: _until(FIRST_CALL, stopped()), ROUNDS),
        Contestant(PREDICT, functools.partial(_predict, folders), ROUNDS),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """How much is added to the import."""
    seconds = {name: measures["seconds"] for name, measures in medians.items()}
    return [
        Claim(f"{STEP} ÷ {IMPORT}", seconds[STEP] / seconds[IMPORT], at_most=1.5),
        Claim(f"{CALL} ÷ {IMPORT}", seconds[CALL] / seconds[IMPORT]),
        Claim(f"{PREDICT} ÷ {IMPORT}", seconds[PREDICT] / seconds[IMPORT], at_most=2.2),
    ]


def _import() -> Measures:
    # It prints its own end, as ours does: the interpreter's shutdown counts in neither.
    return _until(IMPORT, run_python("-c", f"{IMPORT}, time; print('{IMPORT}', time.time())"))


def _predict(folders: Folders) -> Measures:
    [run] = folders.scratch.glob("logs/flowers/*/result.json")
    [photo] = folders.scratch.glob("photos/*/*/*.jpg")
    return {"seconds": run_python("-m", "trainer.predict", run.parent, photo).seconds}


def _until(moment: str, finished: Finished) -> Measures:
    """The seconds from a process's start to the moment whose time it printed."""
    printed = re.search(rf"^{moment} (\S+)$", finished.output, re.MULTILINE)
    assert printed, finished.output
    return {"seconds": float(printed[1]) - finished.began}
