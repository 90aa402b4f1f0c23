"""What was found out about data, kept in the cache as JSON: whole and checked, or not at all."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from trainer.core import atomic
from trainer.core.hashing import fingerprint


def keep(path: Path, content: Any) -> None:
    """Put anything that JSON takes into a file; where none can be written, nothing is kept."""
    with contextlib.suppress(OSError):  # it is only a matter of time
        path.parent.mkdir(parents=True, exist_ok=True)
        checked = {"sha256": fingerprint(content), "content": content}
        atomic.write_text(path, json.dumps(checked))


def kept(path: Path) -> Any:
    """What was kept in a file; None where there is none, or its checksum is another."""
    try:
        told = json.loads(path.read_bytes())
        return told["content"] if told["sha256"] == fingerprint(told["content"]) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
