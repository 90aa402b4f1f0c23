"""Files and folders that are whole or not there at all, wherever a crash strikes.

Everything is written under a hidden name beside its place, flushed to the disk, and gets its own
name by one rename.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_WRITING, _REMOVING = ".writing-", ".old-"


def write_text(path: Path, text: str) -> None:
    """Replace a file by this text in UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file by this content.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    beside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A hidden folder to write files into, which gets its name when all went well.

    Raises:
        OSError: it cannot be written, or there is a folder of that name; nothing is left of it.
    """
    beside = path.with_name(f"{_WRITING}{secrets.token_hex(8)}")
    beside.mkdir()
    try:
        yield beside
        for file in beside.iterdir():
            _flush(file)
        publish_folder(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def publish_folder(written: Path, path: Path) -> None:
    """Give a folder its own name, once its files are flushed; the name must be free."""
    _flush(written)
    written.rename(path)
    _flush(path.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder; a crash leaves no half of it under its name."""
    hidden = path.with_name(f"{_REMOVING}{secrets.token_hex(8)}")
    path.rename(hidden)
    shutil.rmtree(hidden)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process was writing or removing; no other process may write there."""
    for kind in (_WRITING, _REMOVING):
        for path in folder.glob(f"{kind}*"):
            shutil.rmtree(path, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the system write a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
