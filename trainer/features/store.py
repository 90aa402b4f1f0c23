"""The feature store: every image passes a frozen extractor once in its life.

FOLDER/<key>/ holds the features of one split, the key being made of everything that shaped them:

    manifest.json       what they are of; rows and checksums of each shard
    00000.vectors.npy   float32 [rows, width], or maps [rows, height, width, channels]
    00000.labels.npy    int32 [rows]

While they are computed the folder is called <key>.partial, and a killed extraction goes on from
its last whole shard. One rename makes it <key>. Whoever reads or writes holds <key>.lock.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock

from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor
from trainer.features.arrays import DamagedArrayError, read_array, write_array
from trainer.features.features import EXTRACTION_BATCH, Features, StoredFeatures, extract, joined

BATCHES_A_SHARD = 16
SHARD_ROWS = BATCHES_A_SHARD * EXTRACTION_BATCH
"""Examples a shard: what a kill can cost."""


@dataclasses.dataclass(frozen=True)
class FeatureSpec:
    """The features of one split by one extractor, which is loaded only if it has to work."""

    about: str
    """What they are, for people."""

    identity: Mapping[str, Any]
    """Everything that shapes them, as JSON takes it."""

    split: Split
    extractor: Callable[[], Extractor]
    variation: EpochAugmentation | None = None

    @property
    def key(self) -> str:
        """What their folder is called."""
        return fingerprint(self.identity)[:32]

    def varied(self, variation: EpochAugmentation) -> FeatureSpec:
        """The features of the same images when they are varied: others, with a key of their own."""
        return dataclasses.replace(
            self,
            about=f"{self.about}, copy {variation.epoch}",
            identity={**self.identity, "variation": variation.identity},
            variation=variation,
        )


@dataclasses.dataclass(frozen=True)
class Shard:
    """Some rows on disk, and the SHA-256 of their two files."""

    rows: int
    vectors: str
    labels: str


class FeatureStore:
    """Features on disk, found again by all that shaped them."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """Keep them in a folder; `say` is told of waiting and of damage."""
        self._folder = folder
        self._say = say
        self.extracted = 0
        """How many images had to pass an extractor, since this store was opened."""

    def features(self, wanted: FeatureSpec, progress: Callable[[int, int], None]) -> StoredFeatures:
        """The features, computed now as far as they are not kept.

        Two processes that want the same compute them once: the second waits for the first.

        Raises:
            UserError: the folder cannot be written.
        """
        place = self._folder / wanted.key
        try:
            with self._alone(place):
                self._forget_if_unreadable(place, wanted)
                if not place.is_dir():
                    self._compute(place, wanted, progress)
                return StoredFeatures(list(self._checked_shards(place, wanted)))
        except OSError as error:
            raise UserError(
                f"the features cannot be kept in {self._folder} ({error.strerror or error});"
                " make room or give another --cache-dir"
            ) from error

    def copies(
        self,
        wanted: FeatureSpec,
        variations: Sequence[EpochAugmentation],
        progress: Callable[[int, int], None],
    ) -> StoredFeatures:
        """The features of each variation of the same images, one copy behind the other.

        Raises:
            UserError: the folder cannot be written.
        """
        examples, shards = wanted.split.examples, list[Features]()
        for copy, variation in enumerate(variations):
            told = _offset_progress(copy * examples, len(variations) * examples, progress)
            shards += self.features(wanted.varied(variation), told).shards
        return StoredFeatures(shards)

    @contextlib.contextmanager
    def _alone(self, place: Path) -> Iterator[None]:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(place.with_suffix(".lock"))
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            self._say("another run is computing these features; waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _forget_if_unreadable(self, place: Path, wanted: FeatureSpec) -> None:
        """Without its manifest nothing tells what the files of a store should be."""
        if place.is_dir() and sum(s.rows for s in _kept_shards(place)) != wanted.split.examples:
            self._say(f"{place / 'manifest.json'} is damaged; all features are extracted again")
            shutil.rmtree(place)

    def _compute(
        self, place: Path, wanted: FeatureSpec, progress: Callable[[int, int], None]
    ) -> None:
        partial = place.with_suffix(".partial")
        partial.mkdir(exist_ok=True)
        shards = list(_whole_shards(partial))
        done = sum(shard.rows for shard in shards)
        for features in _in_shards(self._extract(wanted, done, progress)):
            shards.append(_write_shard(partial, len(shards), features))
            _write_manifest(partial, wanted, shards)
        partial.rename(place)

    def _extract(
        self, wanted: FeatureSpec, first: int, progress: Callable[[int, int], None]
    ) -> Iterator[Features]:
        total = wanted.split.examples
        if first == total:
            return
        rest = wanted.split.slice(first, total - first)
        for features in extract(rest, wanted.extractor(), wanted.variation):
            first += features.examples
            self.extracted += features.examples
            progress(first, total)
            yield features

    def _checked_shards(self, place: Path, wanted: FeatureSpec) -> Iterator[Features]:
        shards = _kept_shards(place)
        for number, shard in enumerate(shards):
            try:
                yield _read_shard(place, number, shard)
            except DamagedArrayError as damage:
                self._say(f"{damage}; its {shard.rows} images are extracted again")
                rows = wanted.split.slice(number * SHARD_ROWS, shard.rows)
                features = joined(extract(rows, wanted.extractor(), wanted.variation))
                shards[number] = _write_shard(place, number, features)
                _write_manifest(place, wanted, shards)
                self.extracted += shard.rows
                yield features


def _offset_progress(
    first: int, total: int, progress: Callable[[int, int], None]
) -> Callable[[int, int], None]:
    """Tells a part's progress as that of the whole."""
    return lambda done, _: progress(first + done, total)


def _whole_shards(partial: Path) -> Iterator[Shard]:
    """The shards that a killed extraction left, up to the first that is not whole."""
    with contextlib.suppress(DamagedArrayError):
        for number, shard in enumerate(_kept_shards(partial)):
            _read_shard(partial, number, shard)
            yield shard


def _in_shards(parts: Iterator[Features]) -> Iterator[Features]:
    while shard := list(itertools.islice(parts, BATCHES_A_SHARD)):
        yield joined(shard)


def _write_shard(folder: Path, number: int, features: Features) -> Shard:
    vectors, labels = _shard_paths(folder, number)
    return Shard(
        features.examples,
        write_array(vectors, features.vectors),
        write_array(labels, features.labels),
    )


def _read_shard(folder: Path, number: int, shard: Shard) -> Features:
    vectors, labels = _shard_paths(folder, number)
    features = Features(read_array(vectors, shard.vectors), read_array(labels, shard.labels))
    if not len(features.vectors) == len(features.labels) == shard.rows:
        raise DamagedArrayError(f"{vectors} has not the {shard.rows} rows of its manifest")
    return features


def _shard_paths(folder: Path, number: int) -> tuple[Path, Path]:
    return folder / f"{number:05}.vectors.npy", folder / f"{number:05}.labels.npy"


def _write_manifest(folder: Path, wanted: FeatureSpec, shards: list[Shard]) -> None:
    content = {
        "about": wanted.about,
        "identity": wanted.identity,
        "shards": [dataclasses.asdict(shard) for shard in shards],
    }
    atomic.write_text(folder / "manifest.json", json.dumps(content, indent=1) + "\n")


def _kept_shards(folder: Path) -> list[Shard]:
    """What a manifest lists: nothing, where there is none that can be read."""
    try:
        content = json.loads((folder / "manifest.json").read_bytes())
        return [Shard(**shard) for shard in content["shards"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []
