"""A folder of features in work, whose shards several processes extract side by side.

FOLDER/<key>.partial/ holds, beside the two files of each shard:

    00000.json      rows and checksums of the shard, written last: where it is, the shard is whole
    00000.lock      held by the process that extracts the shard; the system releases it at its end
    manifest.json   what the features are of; it lists the shards once all are whole

All that changes there (a claim, a whole shard, the rename at the end) changes while <key>.lock is
held, which is for milliseconds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from trainer.core import atomic
from trainer.core.locks import LockedError, locked
from trainer.features.features import Features
from trainer.features.shards import (
    Shard,
    manifest_shards,
    shard_paths,
    write_manifest,
    write_shard,
)

_SHARD_RECORD = re.compile(r"(\d{5})\.json")


class PartialFolder:
    """The shards of one key: which are whole, and which this process extracts."""

    def __init__(
        self, folder: Path, about: str, identity: Mapping[str, Any], examples: int, shard_rows: int
    ) -> None:
        """Take part in the extraction of some features; nothing is written yet.

        Args:
            folder: Where the features will be when all shards are whole.
            about: What they are, for people.
            identity: Everything they depend on, as JSON takes it.
            examples: Of all shards.
            shard_rows: Examples a shard; the last may have fewer.
        """
        self._folder, self._path = folder, folder.with_suffix(".partial")
        self._about, self._identity = about, identity
        self._examples, self._shard_rows = examples, shard_rows
        self._claims = dict[int, contextlib.ExitStack]()
        self._claiming = threading.Lock()
        self._is_released = False

    def rows_of(self, number: int) -> int:
        """Examples of a shard."""
        return min(self._shard_rows, self._examples - number * self._shard_rows)

    def whole_rows(self) -> int:
        """Examples of the shards that are whole, whoever extracted them."""
        if self._folder.is_dir():
            return self._examples
        return sum(self.rows_of(number) for number in self._whole_numbers())

    def claim(self, number: int) -> bool:
        """Whether this process is the one that extracts a shard, from now on.

        May be called in any thread.

        Raises:
            OSError: nothing can be written there.
        """
        with self._changing(), self._claiming:
            if self._is_released or self._folder.is_dir() or number in self._whole_numbers():
                return False
            self._make()
            claim = self._take_lock(number)
            if claim is not None:
                self._claims[number] = claim
            return claim is not None

    def finish(self, number: int, features: Features) -> None:
        """Write a shard that this process has claimed.

        Raises:
            OSError: nothing can be written there.
        """
        shard = write_shard(self._path, number, features)
        with self._changing():
            atomic.write_text(self._record(number), json.dumps(dataclasses.asdict(shard)) + "\n")
            self._claims.pop(number).close()

    def has_free_shard(self) -> bool:
        """Whether there is a shard that is not whole and that no process extracts."""
        with self._changing():
            if self._folder.is_dir():
                return False
            self._make()
            whole = self._whole_numbers()
            return any(self._is_free(number) for number in self._numbers() if number not in whole)

    def publish(self) -> bool:
        """Give the folder its own name if all shards are whole; whether it has it now.

        Raises:
            OSError: nothing can be written there.
        """
        with self._changing():
            if not self._folder.is_dir() and self._whole_numbers() >= {*self._numbers()}:
                self._publish()
            return self._folder.is_dir()

    def release(self) -> None:
        """Leave the shards that this process has not finished to others."""
        with self._claiming:
            self._is_released = True
            for claim in self._claims.values():
                claim.close()
            self._claims.clear()

    def _numbers(self) -> range:
        return range(-(-self._examples // self._shard_rows))

    def _record(self, number: int) -> Path:
        return self._path / f"{number:05}.json"

    def _changing(self) -> AbstractContextManager[None]:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        return locked(self._folder.with_suffix(".lock"), before_waiting=lambda: None)

    def _make(self) -> None:
        self._path.mkdir(exist_ok=True)
        if not (self._path / "manifest.json").exists():
            write_manifest(self._path, self._about, self._identity, [])

    def _whole_numbers(self) -> set[int]:
        """Those with a record, and those that a release before this one listed in the manifest."""
        with contextlib.suppress(FileNotFoundError):
            records = (_SHARD_RECORD.fullmatch(path.name) for path in self._path.iterdir())
            numbers = {int(record[1]) for record in records if record}
            return numbers | {*range(len(manifest_shards(self._path)))}
        return set()

    def _take_lock(self, number: int) -> contextlib.ExitStack | None:
        lock = contextlib.ExitStack()
        try:
            lock.enter_context(locked(self._path / f"{number:05}.lock"))
        except LockedError:
            return None
        return lock

    def _is_free(self, number: int) -> bool:
        lock = self._take_lock(number)
        if lock is not None:
            lock.close()
        return lock is not None

    def _publish(self) -> None:
        shards = list(self._whole_shards())
        if len(shards) < len(self._numbers()):
            return
        write_manifest(self._path, self._about, self._identity, shards)
        paths = (path for number in self._numbers() for path in shard_paths(self._path, number))
        kept = {self._path / "manifest.json", *paths}
        # Records, locks, and what a killed process was writing.
        for path in {*self._path.iterdir()} - kept:
            path.unlink()
        atomic.publish_folder(self._path, self._folder)

    def _whole_shards(self) -> Iterator[Shard]:
        """What the manifest records of each shard; one whose record is damaged is not whole."""
        listed = dict(enumerate(manifest_shards(self._path)))
        for number in self._numbers():
            try:
                yield Shard(**json.loads(self._record(number).read_bytes()))
            except FileNotFoundError:
                yield listed[number]
            except (ValueError, TypeError):
                self._record(number).unlink()
