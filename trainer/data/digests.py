"""What is in files, by their SHA-256, kept as long as none of them changes.

Half a gigabyte or so a second passes a core: seconds for photos as cameras take them, which only
the first run should spend.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from trainer import atomic
from trainer.data.splits import file_state, fingerprint


def file_digests(paths: Sequence[Path], memory: Path | None = None) -> list[bytes]:
    """The SHA-256 of each file, 32 bytes; kept in a folder and found again there, if one is given.

    A file that changed is known by its size or its time.
    """
    if memory is None:
        return [_digest(path) for path in paths]
    states = [file_state(path, Path(path.anchor)) for path in map(Path.absolute, paths)]
    kept = memory / f"{fingerprint(['digests', *states])}.json"
    digests = _kept(kept)
    if len(digests) != len(paths):
        digests = [_digest(path) for path in paths]
        with contextlib.suppress(OSError):  # it is only a matter of time
            memory.mkdir(parents=True, exist_ok=True)
            atomic.write_text(kept, json.dumps([digest.hex() for digest in digests]))
    return digests


def _kept(path: Path) -> list[bytes]:
    try:
        return [bytes.fromhex(digest) for digest in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
