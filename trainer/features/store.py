"""The feature store: every image is passed through a frozen extractor once.

FOLDER/<key>/ holds the features of one split; the key is a hash of everything they depend on:

    manifest.json       what they are of; rows and checksums of each shard
    00000.vectors.npy   float32 [rows, width], or maps [rows, height, width, channels]
    00000.labels.npy    int32 [rows], float32 [rows, names], or a field for each column

During extraction the folder is called <key>.partial, and a killed extraction continues after its
last whole shard. When all shards are written, one rename makes it <key>. A process that reads or
writes holds <key>.lock.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from trainer.core.atomic import publish_folder
from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.core.locks import locked
from trainer.core.progress import Progress, progress_bar
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor
from trainer.features.features import (
    EXTRACTION_BATCH,
    Features,
    StoredFeatures,
    concatenate,
    extract,
)
from trainer.features.shards import (
    DamagedShardError,
    Shard,
    manifest_shards,
    read_shard,
    write_manifest,
    write_shard,
)

logger = logging.getLogger(__name__)

BATCHES_PER_SHARD = 16
SHARD_ROWS = BATCHES_PER_SHARD * EXTRACTION_BATCH
"""Examples in a shard: at most this many are extracted again after a kill."""


@dataclasses.dataclass(frozen=True)
class FeatureSpec:
    """What features are to be had: those of one split by one extractor."""

    about: str
    """What they are, for people."""

    identity: Mapping[str, Any]
    """Everything they depend on, as JSON takes it."""

    split: Split
    extractor: Callable[[], Extractor]
    """Loads the extractor; called only if an image has to be extracted."""

    augmentation: EpochAugmentation | None = None

    @property
    def key(self) -> str:
        """The name of their folder."""
        return fingerprint(self.identity)[:32]

    def augmented(self, augmentation: EpochAugmentation) -> FeatureSpec:
        """The features of the same images when they are augmented, with a key of their own."""
        return dataclasses.replace(
            self,
            about=f"{self.about}, copy {augmentation.epoch}",
            identity={**self.identity, "augmentation": augmentation.identity},
            augmentation=augmentation,
        )


class FeatureStore:
    """Features in a folder on disk, found by everything they depend on."""

    def __init__(self, folder: Path) -> None:
        """Store features in a folder, which is made when it is needed."""
        self._folder = folder
        self.extracted = 0
        """Number of images extracted since this store was opened."""

    def features(self, spec: FeatureSpec) -> StoredFeatures:
        """The features of a split; those that are not stored yet are extracted now.

        Two processes that ask for the same features extract them once: the second waits.

        Raises:
            UserError: the folder cannot be written.
        """
        with _progress_of(spec) as report:
            return self._features(spec, report)

    def copies(
        self, spec: FeatureSpec, augmentations: Sequence[EpochAugmentation]
    ) -> StoredFeatures:
        """The features of several augmented copies of a split, one copy after another.

        Args:
            spec: The features of the split without augmentation.
            augmentations: The augmentation of each copy.

        Raises:
            UserError: the folder cannot be written.
        """
        examples, shards = spec.split.examples, list[Features]()
        with _progress_of(spec) as report:
            for copy, augmentation in enumerate(augmentations):
                offset = _offset_progress(copy * examples, len(augmentations) * examples, report)
                shards += self._features(spec.augmented(augmentation), offset).shards
        return StoredFeatures(shards)

    def _features(self, spec: FeatureSpec, report: Progress) -> StoredFeatures:
        folder = self._folder / spec.key
        try:
            with self._locked(folder):
                _remove_if_damaged(folder, spec)
                if not folder.is_dir():
                    self._write(folder, spec, report)
                return StoredFeatures(list(self._verified_shards(folder, spec)))
        except OSError as error:
            raise UserError(
                f"the features cannot be stored in {self._folder} ({error.strerror or error});"
                " make room or choose another --cache-dir"
            ) from error

    def _locked(self, folder: Path) -> AbstractContextManager[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return locked(folder.with_suffix(".lock"), before_waiting=_log_waiting)

    def _write(self, folder: Path, spec: FeatureSpec, report: Progress) -> None:
        """Extract the features that a killed extraction has not, and publish the folder."""
        partial = folder.with_suffix(".partial")
        partial.mkdir(exist_ok=True)
        shards = list(_intact_shards(partial))
        done = sum(shard.rows for shard in shards)
        for features in _group_into_shards(self._extract(spec, done, report)):
            shards.append(write_shard(partial, len(shards), features))
            write_manifest(partial, spec.about, spec.identity, shards)
        publish_folder(partial, folder)

    def _extract(self, spec: FeatureSpec, first: int, report: Progress) -> Iterator[Features]:
        total = spec.split.examples
        if first == total:
            return
        rest = spec.split.slice(first, total - first)
        for features in extract(rest, spec.extractor(), spec.augmentation):
            first += features.examples
            self.extracted += features.examples
            report(first, total)
            yield features

    def _verified_shards(self, folder: Path, spec: FeatureSpec) -> Iterator[Features]:
        """Each shard; one that is damaged is extracted again."""
        shards = manifest_shards(folder)
        for number, shard in enumerate(shards):
            try:
                yield read_shard(folder, number, shard)
            except DamagedShardError as damage:
                logger.warning("%s; its %d images are extracted again", damage, shard.rows)
                rows = spec.split.slice(number * SHARD_ROWS, shard.rows)
                features = concatenate(extract(rows, spec.extractor(), spec.augmentation))
                shards[number] = write_shard(folder, number, features)
                write_manifest(folder, spec.about, spec.identity, shards)
                self.extracted += shard.rows
                yield features


def _progress_of(spec: FeatureSpec) -> AbstractContextManager[Progress]:
    return progress_bar(f"extracting {spec.split.name}", "images")


def _log_waiting() -> None:
    logger.info("another run is extracting these features; waiting for it")


def _remove_if_damaged(folder: Path, spec: FeatureSpec) -> None:
    """Remove a folder whose manifest does not list all rows: its files cannot be checked."""
    rows = sum(shard.rows for shard in manifest_shards(folder))
    if folder.is_dir() and rows != spec.split.examples:
        logger.warning("%s is damaged; all features are extracted again", folder / "manifest.json")
        shutil.rmtree(folder)


def _offset_progress(first: int, all_parts: int, report: Progress) -> Progress:
    """Reports the progress of a part as that of all parts."""

    def report_part(done: int, total: int, note: str | None = None) -> None:  # noqa: ARG001
        report(first + done, all_parts, note)

    return report_part


def _intact_shards(partial: Path) -> Iterator[Shard]:
    """The shards that a killed extraction left, up to the first damaged one."""
    with contextlib.suppress(DamagedShardError):
        for number, shard in enumerate(manifest_shards(partial)):
            read_shard(partial, number, shard)
            yield shard


def _group_into_shards(batches: Iterator[Features]) -> Iterator[Features]:
    while shard := list(itertools.islice(batches, BATCHES_PER_SHARD)):
        yield concatenate(shard)
