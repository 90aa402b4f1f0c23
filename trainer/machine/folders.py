"""Folders that a run writes to: whether it can, and how much room there is."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder, which need not be there yet."""

    name: str
    """What it is for."""

    path: Path
    option: str
    """The option, or the variable of the environment, that chooses another."""

    needed: bool
    """Whether every run writes to it, or downloads alone."""

    exists: bool
    writable: bool
    """Whether files can be made in it, or the folder where it is not there."""

    free: int
    """Bytes free on its disk."""


def inspect_folder(name: str, path: Path, option: str, needed: bool) -> Folder:
    """What can be done with a folder; nothing of it is there afterwards that was not before."""
    nearest = _nearest_existing(path)
    return Folder(
        name=name,
        path=path,
        option=option,
        needed=needed,
        exists=path.is_dir(),
        writable=nearest.is_dir() and _can_be_written(nearest),
        free=shutil.disk_usage(nearest).free,
    )


def _nearest_existing(path: Path) -> Path:
    """The path itself, or the first around it that there is; a link to nothing is none."""
    return next(around for around in (path, *path.absolute().parents) if around.exists())


def _can_be_written(folder: Path) -> bool:
    """By writing: rights alone do not say it of a disk that is mounted to be read only."""
    if not os.access(folder, os.W_OK):
        return False
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder):
        return True
    return False
