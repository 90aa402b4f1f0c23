"""From the command to the first steps of a warm run, beside the import of TensorFlow alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import Finished, run_python, run_trainer

ROUNDS = 5

FIRST_STEP, FIRST_SPAN = "before the first step is traced", "with the first span done"
"""What the trainer of the stopwatch tells the time of."""

IMPORT = "import tensorflow"
STEP, SPAN = f"ours, warm: {FIRST_STEP}", f"ours, warm: {FIRST_SPAN}"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """The import, and warm runs of flowers up to two moments."""
    data = ("--task", "flowers", "--data", "tfds", "--data-dir", folders.data_dir)
    run_trainer(folders.scratch, *data, "--epochs", 1)  # the features are kept from here on
    stopped = functools.partial(
        run_trainer, folders.scratch, *data, "--trainer", "benchmarks.stopwatch:Stopwatch"
    )
    return [
        Contestant(IMPORT, _import, ROUNDS),
        Contestant(STEP, lambda: _until(FIRST_STEP, stopped()), ROUNDS),
        Contestant(SPAN, lambda: _until(FIRST_SPAN, stopped()), ROUNDS),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """What we add to the import."""
    seconds = {name: measures["seconds"] for name, measures in medians.items()}
    return [
        Claim(f"{STEP} ÷ {IMPORT}", seconds[STEP] / seconds[IMPORT], at_most=1.5),
        Claim(f"{SPAN} ÷ {IMPORT}", seconds[SPAN] / seconds[IMPORT]),
    ]


def _import() -> Measures:
    # Its end is told from inside, as ours is: what an interpreter tears down counts in neither.
    return _until(IMPORT, run_python("-c", f"{IMPORT}, time; print('{IMPORT}', time.time())"))


def _until(moment: str, finished: Finished) -> Measures:
    """The seconds from a process's start to the time that it tells of a moment."""
    told = re.search(rf"^{moment} (\S+)$", finished.output, re.MULTILINE)
    assert told, finished.output
    return {"seconds": float(told[1]) - finished.began}
