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
from trainer.report.display import Table


def write_history(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the table by these rows: an epoch each, columns from the first."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic.write_text(path, text.getvalue())


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of the table.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such table.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: _number(text) for name, text in row.items()} for row in rows]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file, indented for people."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # A name that is not UTF-8 has lone surrogates in Python: JSON has them as escapes.
    atomic.write_bytes(path, text.encode(errors="backslashreplace"))


def metrics_table(result: Mapping[str, Any]) -> Table:
    """The metrics in result.json: a row for each split, without metrics of single classes."""
    # Those of single classes, "recall/rose", are in result.json: a line has no room for them.
    reported = {name for name in result["metrics"]["test"] if "/" not in name}
    rows = {
        split: {"images": f"{result['data']['examples'][split]:,}"}
        | {name: f"{value:.4f}" for name, value in metrics.items() if name in reported}
        for split, metrics in result["metrics"].items()
    }
    return Table("split", rows)


def weights_digest(weights: Iterable[np.ndarray]) -> str:
    """SHA-256 of arrays in their order: equal digests mean equal training, to the bit."""
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _number(text: str) -> float:
    return int(text) if text.isdigit() else float(text)
