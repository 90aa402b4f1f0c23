"""Arrays on disk that are whole, checked and never pickled."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np

from trainer.core import atomic


class DamagedArrayError(Exception):
    """A kept array is missing or is not what was written."""


def write_array(path: Path, array: np.ndarray) -> str:
    """Write an array as .npy, whole or not at all; returns the SHA-256 of the file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    atomic.write_bytes(path, content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


def read_array(path: Path, checksum: str) -> np.ndarray:
    """The array of a file, mapped into memory.

    Raises:
        DamagedArrayError: the file is missing, or its SHA-256 is another.
    """
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            raise DamagedArrayError(f"{path} is damaged (its checksum is another)")
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DamagedArrayError(f"{path} cannot be read ({error})") from error
