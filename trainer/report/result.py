"""history.csv, a row an epoch, and JSON files such as result.json."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.core import atomic


def write_history(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the table by these rows: an epoch each, columns from the first."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic.write_text(path, text.getvalue())


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file, indented for people."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # A name that is not UTF-8 has lone surrogates in Python: JSON has them as escapes.
    atomic.write_bytes(path, text.encode(errors="backslashreplace"))


def weights_digest(weights: Iterable[np.ndarray]) -> str:
    """SHA-256 of arrays in their order: equal digests mean equal training, to the bit."""
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
