"""The cache folder: what is in it, and how it is cleared."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import platformdirs

from trainer.core.addresses import recorded_address
from trainer.core.errors import UserError
from trainer.core.locks import LockedError, locked

FEATURES, NETWORKS, DATASETS = "features", "networks", "datasets"
DOWNLOADS, RUNS = "downloads", "runs"
"""The folders in it. RUNS has those of runs whose folder is remote, which are never cleared."""

OURS = {
    FEATURES: re.compile(r"[0-9a-f]{32}(\.partial)?"),
    NETWORKS: re.compile(r"[0-9a-f]{64}\.graph"),
    DATASETS: re.compile(r"[0-9a-f]{64}\.json"),
    DOWNLOADS: re.compile(r"[0-9a-f]{16}"),
}
"""Our names in each of them: what has another name is not ours, and stays."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """The cached features of one split, the graph of an extractor, or downloaded data."""

    path: Path
    about: str

    @property
    def megabytes(self) -> float:
        """Its size, in units of 1,000,000 bytes."""
        within = self.path.rglob("*") if self.path.is_dir() else [self.path]
        files = (path for path in within if not path.is_dir())
        return sum(path.lstat().st_size for path in files) / 1e6


def platform_cache_folder() -> Path:
    """The folder for caches where no other is chosen."""
    return Path(platformdirs.user_cache_dir("trainer"))


def entries(cache_folder: Path) -> list[Entry]:
    """Everything that is cached, unfinished features too."""
    features = [Entry(path, _about(path)) for path in _ours(cache_folder, FEATURES)]
    networks = [Entry(path, _network(path)) for path in _ours(cache_folder, NETWORKS)]
    downloads = [Entry(path, _download(path)) for path in _ours(cache_folder, DOWNLOADS)]
    return [*features, *networks, *downloads]


def clear(cache_folder: Path) -> list[Entry]:
    """Remove everything that is cached; returns what stays, because a run is using it.

    Raises:
        UserError: something cannot be removed.
    """
    try:
        in_use = [entry for entry in entries(cache_folder) if not _removed(entry)]
        for memory in _ours(cache_folder, DATASETS):
            memory.unlink()
    except OSError as error:
        raise UserError(
            f"{error.filename or cache_folder} cannot be removed ({error.strerror or error});"
            " change who may write there, and clear again"
        ) from error
    for room in OURS:
        with contextlib.suppress(OSError):  # not there, or not empty
            (cache_folder / room).rmdir()
    return in_use


def _removed(entry: Entry) -> bool:
    if entry.path.is_file():
        entry.path.unlink()
        return True
    lock = entry.path.with_suffix(".lock")
    with contextlib.suppress(LockedError):
        with locked(lock):
            _require_unlocked(sorted(entry.path.glob("*.lock")))
            shutil.rmtree(entry.path)
        lock.unlink(missing_ok=True)
        return True
    return False


def _require_unlocked(shard_locks: Iterable[Path]) -> None:
    """Raise `LockedError` if a process extracts a shard of an unfinished folder."""
    for lock in shard_locks:
        with locked(lock):
            pass


def _ours(cache_folder: Path, room: str) -> Iterator[Path]:
    """What we made in one of the folders; no link, which leads to what is not ours."""
    folder = cache_folder / room
    paths = [] if folder.is_symlink() else sorted(folder.glob("*"))
    is_one = Path.is_dir if room in (FEATURES, DOWNLOADS) else Path.is_file
    named_so = (path for path in paths if OURS[room].fullmatch(path.name))
    return (path for path in named_so if is_one(path) and not path.is_symlink())


def _about(folder: Path) -> str:
    try:
        about = json.loads((folder / "manifest.json").read_bytes())["about"]
    except (OSError, ValueError, KeyError, TypeError):
        about = "features that are damaged"
    return f"{about}, unfinished" if folder.suffix == ".partial" else str(about)


def _network(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return str(json.loads(content.readline())["about"])
    except (OSError, ValueError, KeyError, TypeError):
        return "a network that is damaged"


def _download(folder: Path) -> str:
    found = [address for path in folder.iterdir() if (address := recorded_address(path))]
    return f"data of {found[0]}" if found else "data that are not whole"
