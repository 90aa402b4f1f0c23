"""One process on one core, and two on a core each, that extract the same features."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import CHECKOUT

PHOTOS = 3072
"""Six shards of 512: as many for each of two processes."""

ROUNDS = 3

WALL, CORES = "images/s", "images/s of a core's time"
"""By the clock; and by the processor time of the process that used the most, which is the same on
an idle machine, and does not depend on what else a machine does."""

ALONE, TOGETHER = "one process, one core", "two processes, a core each"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Extraction by one process and by two; TensorFlow and the extractor are loaded before."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    return [
        Contestant(ALONE, functools.partial(_extract, folders, cores[:1]), ROUNDS),
        Contestant(TOGETHER, functools.partial(_extract, folders, cores), ROUNDS),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast two are, and that no photo passed twice."""
    passes = medians[TOGETHER]["extracted"] / PHOTOS
    by_cores = f"{TOGETHER}: times as fast as {ALONE}, by the time of the cores"
    return [
        Claim(f"{TOGETHER}: times as fast as {ALONE}", _ratio(medians, WALL), at_least=1.6),
        Claim(by_cores, _ratio(medians, CORES), at_least=1.6),
        Claim(f"{TOGETHER}: passes of a photo", passes, at_most=1.0),
    ]


def _ratio(medians: Medians, speed: str) -> float:
    return medians[TOGETHER][speed] / medians[ALONE][speed]


def _extract(folders: Folders, cores: Sequence[int]) -> Measures:
    """All photos by a process on each of the cores, from the start to the end of the last."""
    shutil.rmtree(folders.scratch / "features", ignore_errors=True)
    with contextlib.ExitStack() as running:
        processes = [running.enter_context(_started(folders, core)) for core in cores]
        for process in processes:
            _read(process, "ready")
        began = time.time()
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        ends = [_read(process, "done") for process in processes]
    seconds = max(float(end) for end, _, _ in ends) - began
    core_seconds = max(float(used) for _, used, _ in ends)
    extracted = sum(int(images) for _, _, images in ends)
    return {WALL: PHOTOS / seconds, CORES: PHOTOS / core_seconds, "extracted": float(extracted)}


def _started(folders: Folders, core: int) -> subprocess.Popen[str]:
    script = CHECKOUT / "benchmarks" / "scripts" / "shared_features.py"
    arguments = (script, folders.data_dir, folders.scratch / "features", PHOTOS, core)
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _read(process: subprocess.Popen[str], word: str) -> list[str]:
    """What stands behind a word on the next line that a process prints."""
    assert process.stdout
    line = process.stdout.readline().split()
    if line[:1] != [word]:
        raise RuntimeError(f"{' '.join(map(str, process.args))} failed")  # type: ignore[arg-type]
    return line[1:]
