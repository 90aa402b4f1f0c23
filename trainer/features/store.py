"""The feature store: every image is passed through a frozen extractor once.

FOLDER/<key>/ holds the features of one split; the key is a hash of everything they depend on:

    manifest.json       what they are of; rows and checksums of each shard
    00000.vectors.npy   [rows, width], or maps [rows, height, width, channels]; float32 or float16
    00000.labels.npy    int32 [rows], float32 [rows, names], or a field for each column

During extraction the folder is called <key>.partial. Processes that ask for the same features
share its shards out, and a killed extraction continues with those that are whole
(trainer/features/partial_folder.py). When all are, one rename makes it <key>. A process that checks
or repairs it holds <key>.lock.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from trainer.config.transfer import Resize
from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.core.locks import locked
from trainer.core.progress import Progress, progress_bar
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.batches import num_batches
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor
from trainer.features.features import (
    EXTRACTION_BATCH,
    Features,
    StoredFeatures,
    concatenate,
    extract,
    extract_shards,
)
from trainer.features.partial_folder import PartialFolder
from trainer.features.shards import (
    DamagedShardError,
    manifest_shards,
    read_shard,
    write_manifest,
    write_shard,
)
from trainer.remote.features import RemoteFeatures

logger = logging.getLogger(__name__)

BATCHES_PER_SHARD = 64
SHARD_ROWS = BATCHES_PER_SHARD * EXTRACTION_BATCH
"""Examples in a shard: at most this many are extracted again after a kill."""

POLL_SECONDS = 0.2
"""How often a process that waits for the last shards looks for them."""


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
    resize: Resize = "squash"
    """How images become squares; part of the identity, too."""

    dtype: str = "float32"
    """How they are stored: float32 or float16."""

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

    def __init__(self, folder: Path, remote: RemoteFeatures | None = None) -> None:
        """Store features in a folder, which is made when it is needed.

        Args:
            folder: Here.
            remote: Where other machines may have put them, and get those that are extracted here.
        """
        self._folder, self._remote = folder, remote
        self.extracted = 0
        """Number of images extracted since this store was opened."""

    def features(self, spec: FeatureSpec) -> StoredFeatures:
        """The features of a split; those that are not stored yet are extracted now.

        Processes that ask for the same features share the work, by shards; each image is extracted
        once, and whoever is done first waits for the last shards of the others.

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
            while True:
                if not folder.is_dir() and not self._downloaded(folder):
                    self._extract(folder, spec, report)
                with locked(folder.with_suffix(".lock"), before_waiting=lambda: None):
                    _remove_if_damaged(folder, spec)
                    if folder.is_dir():  # not if another process has cleared the cache
                        shards = list(self._verified_shards(folder, spec))
                        if self._remote is not None:
                            self._remote.upload(folder)
                        return StoredFeatures(shards)
        except OSError as error:
            raise UserError(
                f"the features cannot be stored in {self._folder} ({error.strerror or error});"
                " make room or choose another --cache-dir"
            ) from error

    def _downloaded(self, folder: Path) -> bool:
        """Whether the features are there now, downloaded by this process or another."""
        if self._remote is None:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_suffix(".lock"), before_waiting=lambda: None):
            return folder.is_dir() or self._remote.download(folder)

    def _extract(self, folder: Path, spec: FeatureSpec, report: Progress) -> None:
        """Extract the shards that no other process does, until all are there."""
        total, waits = spec.split.examples, False
        partial = PartialFolder(folder, spec.about, spec.identity, total, SHARD_ROWS)
        try:
            while not partial.publish():
                if partial.has_free_shard():
                    self._extract_free_shards(partial, spec, report)
                    continue
                done = partial.whole_rows()
                report(done, total)
                if not waits:
                    logger.info("other processes extract the last %d images; waiting", total - done)
                waits = True
                time.sleep(POLL_SECONDS)
        finally:
            partial.release()
        report(total, total)

    def _extract_free_shards(
        self, partial: PartialFolder, spec: FeatureSpec, report: Progress
    ) -> None:
        """Extract each shard that is free when its turn comes, in one pass over the split."""
        batches = self._extract_batches(partial, spec, report)
        for number, first in batches:
            others = itertools.islice(
                batches, num_batches(partial.rows_of(number), EXTRACTION_BATCH) - 1
            )
            partial.finish(number, concatenate([first, *(batch for _, batch in others)]))

    def _extract_batches(
        self, partial: PartialFolder, spec: FeatureSpec, report: Progress
    ) -> Iterator[tuple[int, Features]]:
        rows = collections.Counter[int]()
        how = spec.augmentation, spec.dtype, spec.resize
        for number, features in extract_shards(
            spec.split, spec.extractor(), SHARD_ROWS, partial.claim, *how
        ):
            rows[number] += features.examples
            self.extracted += features.examples
            report(partial.whole_rows() + rows[number], spec.split.examples)
            yield number, features

    def _verified_shards(self, folder: Path, spec: FeatureSpec) -> Iterator[Features]:
        """Each shard; one that is damaged is extracted again."""
        shards = manifest_shards(folder)
        for number, shard in enumerate(shards):
            try:
                yield read_shard(folder, number, shard)
            except DamagedShardError as damage:
                logger.warning("%s; its %d images are extracted again", damage, shard.rows)
                rows = spec.split.slice(number * SHARD_ROWS, shard.rows)
                how = spec.augmentation, spec.dtype, spec.resize
                features = concatenate(extract(rows, spec.extractor(), *how))
                shards[number] = write_shard(folder, number, features)
                write_manifest(folder, spec.about, spec.identity, shards)
                self.extracted += shard.rows
                yield features


def _progress_of(spec: FeatureSpec) -> AbstractContextManager[Progress]:
    return progress_bar(f"extracting {spec.split.name}", "images")


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
