"""What is in files, by their SHA-256, kept as long as none of them changes.

To read every file takes its time, which only the first run should spend.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from trainer.core.hashing import file_state, fingerprint
from trainer.data.readers.json_cache import keep, kept


def file_digests(paths: Sequence[Path], memory: Path | None = None) -> list[bytes]:
    """The SHA-256 of each file, 32 bytes; kept in a folder and found again there, if one is given.

    A file that changed is known by its size or its time.
    """
    if memory is None:
        return [_digest(path) for path in paths]
    states = [file_state(path, Path(path.anchor)) for path in map(Path.absolute, paths)]
    place = memory / f"{fingerprint(['digests', *states])}.json"
    told = kept(place)
    if told is None:
        told = [_digest(path).hex() for path in paths]
        keep(place, told)
    return [bytes.fromhex(digest) for digest in told]


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
