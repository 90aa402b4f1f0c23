"""A cache of what is computed about data, in JSON files with a checksum."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.core import atomic
from trainer.core.hashing import fingerprint


@dataclasses.dataclass(frozen=True)
class JsonCache:
    """A folder of JSON files, each named by the SHA-256 of its key.

    Keys and contents are anything that JSON takes. The cache only saves time: a file that is
    damaged, or cannot be written, is as if it did not exist.
    """

    folder: Path | None = None
    """Created when it is first needed; without a folder nothing is kept."""

    def get(self, key: object) -> Any:
        """The content of a key; None where there is none, or its checksum is wrong."""
        if self.folder is None:
            return None
        try:
            stored = json.loads(_file(self.folder, key).read_bytes())
            return stored["content"] if stored["sha256"] == fingerprint(stored["content"]) else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, key: object, content: Any) -> None:
        """Keep the content of a key, in place of an earlier one."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):  # it is only a matter of time
            self.folder.mkdir(parents=True, exist_ok=True)
            stored = {"sha256": fingerprint(content), "content": content}
            atomic.write_text(_file(self.folder, key), json.dumps(stored))

    def get_or_compute(self, key: object, compute: Callable[[], Any]) -> Any:
        """The content of a key, computed and kept where there is none."""
        content = self.get(key)
        if content is None:
            content = compute()
            self.put(key, content)
        return content


NO_CACHE = JsonCache()
"""Keeps nothing."""


def _file(folder: Path, key: object) -> Path:
    return folder / f"{fingerprint(key)}.json"
