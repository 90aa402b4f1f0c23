"""What the cache folder holds, and how it is emptied."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock

from trainer.core.errors import UserError

FEATURES, DATASETS = "features", "datasets"
"""Its rooms."""

OURS = {
    FEATURES: re.compile(r"[0-9a-f]{32}(\.partial)?"),
    DATASETS: re.compile(r"[0-9a-f]{64}\.json"),
}
"""What we call things in each room: whatever has another name is somebody else's, and stays."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One thing that is kept: the features of a split."""

    path: Path
    about: str

    @property
    def megabytes(self) -> float:
        """How much room it takes, in units of 1,000,000 bytes."""
        files = (path for path in self.path.rglob("*") if not path.is_dir())
        return sum(path.lstat().st_size for path in files) / 1e6


def entries(cache_folder: Path) -> list[Entry]:
    """All that is kept; half-made things too."""
    return [Entry(path, _about(path)) for path in _ours(cache_folder, FEATURES)]


def clear(cache_folder: Path) -> list[Entry]:
    """Take away all that is kept; returns what stays, because a run is using it.

    Raises:
        UserError: something cannot be taken away.
    """
    try:
        in_use = [entry for entry in entries(cache_folder) if not _removed(entry)]
        for memory in _ours(cache_folder, DATASETS):
            memory.unlink()
    except OSError as error:
        raise UserError(
            f"{error.filename or cache_folder} cannot be taken away ({error.strerror or error})"
        ) from error
    for room in OURS:
        with contextlib.suppress(OSError):  # not there, or not empty
            (cache_folder / room).rmdir()
    return in_use


def _removed(entry: Entry) -> bool:
    lock = entry.path.with_suffix(".lock")
    with contextlib.suppress(filelock.Timeout):
        with filelock.FileLock(lock, blocking=False):
            shutil.rmtree(entry.path)
        lock.unlink(missing_ok=True)
        return True
    return False


def _ours(cache_folder: Path, room: str) -> Iterator[Path]:
    """What we made in a room: no link, which leads to what is somebody else's."""
    folder = cache_folder / room
    paths = [] if folder.is_symlink() else sorted(folder.glob("*"))
    is_one = Path.is_file if room == DATASETS else Path.is_dir
    named_so = (path for path in paths if OURS[room].fullmatch(path.name))
    return (path for path in named_so if is_one(path) and not path.is_symlink())


def _about(folder: Path) -> str:
    try:
        about = json.loads((folder / "manifest.json").read_bytes())["about"]
    except (OSError, ValueError, KeyError, TypeError):
        about = "features that are damaged"
    return f"{about}, unfinished" if folder.suffix == ".partial" else str(about)
