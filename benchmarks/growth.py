"""How time and memory grow with the data: a folder of photos, and 4 and 16 times as many."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import run_python, run_trainer

PHOTOS = 480
TIMES = (1, 4, 16)
ROUNDS = 3

STREAMED = ("--feature-memory", "0.001")
"""Gigabytes: less than the features of the smallest folder take."""

COLD, WARM, READ_FROM_DISK = "cold", "warm", "warm, features left on the disk"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Ours without its features, with them in memory, and with them on the disk, at each size."""
    run_python("-m", "benchmarks.photo_files", folders.data_dir, folders.scratch / "once", PHOTOS)
    return [contestant for times in TIMES for contestant in _at_size(times, folders.scratch)]


def claims(medians: Medians) -> Sequence[Claim]:
    """What the largest folder needs more than the smallest."""
    return [
        *(_memory(medians, way, features_in_memory=True) for way in (COLD, WARM)),
        _memory(medians, READ_FROM_DISK, features_in_memory=False),
        *(_time(medians, way) for way in (COLD, WARM, READ_FROM_DISK)),
    ]


def _at_size(times: int, scratch: Path) -> Sequence[Contestant]:
    folder = scratch / f"{times} times"
    _multiply(scratch / "once", folder / "photos", times)
    warm = functools.partial(_run, folder)
    ways = {
        COLD: functools.partial(_cold, folder),
        WARM: warm,
        READ_FROM_DISK: functools.partial(warm, *STREAMED),
    }
    return [Contestant(_name(times, way), run, ROUNDS) for way, run in ways.items()]


def _name(times: int, way: str) -> str:
    return f"{PHOTOS * times:,} photos, {way}"


def _multiply(photos: Path, folder: Path, times: int) -> None:
    """Copy the photos so many times, under other names: hard links where the disk has them."""
    for path in sorted(photos.rglob("*.jpg")):
        into = folder / path.relative_to(photos).parent
        into.mkdir(parents=True, exist_ok=True)
        for copy in range(times):
            _link(path, into / f"{path.stem}-{copy}.jpg")


def _link(path: Path, copy: Path) -> None:
    try:
        os.link(path, copy)
    except OSError:
        shutil.copyfile(path, copy)


def _cold(folder: Path) -> Measures:
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return _run(folder)


def _run(folder: Path, *options: str) -> Measures:
    finished = run_trainer(folder, "--task", "flowers", "--data", folder / "photos", *options)
    cached = (folder / "cache").rglob("*.vectors.npy")
    return {
        "seconds": finished.seconds,
        "features MB": sum(path.stat().st_size for path in cached) / 1e6,
        "peak MB": finished.peak_megabytes,
    }


def _memory(medians: Medians, way: str, features_in_memory: bool) -> Claim:
    least, most = (medians[_name(times, way)] for times in (min(TIMES), max(TIMES)))
    added = most["features MB"] - least["features MB"] if features_in_memory else 0.0
    budget = " and the features added" if features_in_memory else ""
    return Claim(
        f"{way}: peak memory of the most photos ÷ that of the fewest{budget}",
        most["peak MB"] / (least["peak MB"] + added),
        at_most=1.1,  # the allocator's own variation
    )


def _time(medians: Medians, way: str) -> Claim:
    least, most = (medians[_name(times, way)]["seconds"] for times in (min(TIMES), max(TIMES)))
    photos = PHOTOS * (max(TIMES) - min(TIMES))
    return Claim(f"{way}: milliseconds for each photo more", (most - least) / photos * 1e3)
