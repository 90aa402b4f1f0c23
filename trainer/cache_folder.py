"""What the cache folder holds, and how it is emptied."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock

FEATURES, DRAWN_SAMPLES, DATASETS = "features", "samples", "datasets"
"""Its rooms: nothing else in the folder is ours."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One thing that is kept: the features of a split, or a drawn sample."""

    path: Path
    about: str

    @property
    def megabytes(self) -> float:
        """How much room it takes, in units of 1,000,000 bytes."""
        files = (path for path in self.path.rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files) / 1e6


def entries(cache_folder: Path) -> list[Entry]:
    """All that is kept, samples first; half-made things too."""
    samples = [
        Entry(path, f"the {path.name} sample") for path in _folders(cache_folder / DRAWN_SAMPLES)
    ]
    features = [Entry(path, _about(path)) for path in _folders(cache_folder / FEATURES)]
    return samples + features


def clear(cache_folder: Path) -> list[Entry]:
    """Take away all that is kept; returns what stays, because a run is using it."""
    in_use = [entry for entry in entries(cache_folder) if not _removed(entry)]
    if not in_use:
        for room in (FEATURES, DRAWN_SAMPLES, DATASETS):
            shutil.rmtree(cache_folder / room, ignore_errors=True)
    return in_use


def _removed(entry: Entry) -> bool:
    with contextlib.suppress(filelock.Timeout):
        with filelock.FileLock(entry.path.with_suffix(".lock"), blocking=False):
            shutil.rmtree(entry.path)
        return True
    return False


def _folders(room: Path) -> Iterator[Path]:
    return (path for path in sorted(room.glob("*")) if path.is_dir())


def _about(folder: Path) -> str:
    try:
        about = json.loads((folder / "manifest.json").read_bytes())["about"]
    except (OSError, ValueError, KeyError, TypeError):
        about = "features that are damaged"
    return f"{about}, unfinished" if folder.suffix == ".partial" else str(about)
