"""SHA-256 of files and of JSON content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def fingerprint(content: object) -> str:
    """SHA-256 of anything that JSON takes, as hex: equal content, equal fingerprint."""
    return sha256(json.dumps(content, sort_keys=True).encode())


def sha256(content: bytes) -> str:
    """SHA-256 of bytes, as hex."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, as hex; read a megabyte at a time.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def file_state(path: Path, folder: Path) -> list[str | int]:
    """What identifies a version of a file below a folder without reading it: name, size, time."""
    state = path.stat()
    return [str(path.relative_to(folder)), state.st_size, state.st_mtime_ns]
