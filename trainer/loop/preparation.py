"""From a source to the batches that the loop takes."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import tensorflow as tf

from trainer.cache_folder import FEATURES
from trainer.config import Config
from trainer.data.images import PREPARATION
from trainer.data.splits import Source, Split
from trainer.extractors import (
    NO_EXTRACTOR,
    USUAL_IMAGE_SIZE,
    load_extractor,
    module_digest,
    stated_image_size,
)
from trainer.feature_store import FeatureStore, Wanted
from trainer.features import StoredFeatures
from trainer.freezing import FREEZING
from trainer.loop.batches import (
    Batches,
    FeatureBatches,
    ImageBatches,
    StreamedFeatureBatches,
)
from trainer.report.progress import Display


class Preparation:
    """Makes feature batches below a frozen extractor, image batches without one."""

    def __init__(self, config: Config, display: Display) -> None:
        """Find the extractor's files; it is loaded only if an image has to pass it.

        Raises:
            UserError: there is no such extractor.
        """
        self._config, self._display = config, display
        self._store = FeatureStore(config.cache_folder / FEATURES, display.say)
        self._images_only = config.extractor == NO_EXTRACTOR
        self._digest = None if self._images_only else module_digest(config.extractor)
        self._extractor = functools.cache(
            lambda: load_extractor(config.extractor, config.image_size)
        )

    def batches(self, source: Source) -> dict[str, Batches]:
        """The batches of every split, by its name.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        batching = (self._config.batch_size, self._config.seed)
        splits = source.splits.items()
        if self._images_only:
            side = self._config.image_size or USUAL_IMAGE_SIZE
            return {name: ImageBatches(split, side, *batching) for name, split in splits}
        stored = {name: self._stored_features(name, split) for name, split in splits}
        if self._fit_in_memory(stored.values()):
            return {name: FeatureBatches(kept.loaded(), *batching) for name, kept in stored.items()}
        return {name: StreamedFeatureBatches(kept, *batching) for name, kept in stored.items()}

    @property
    def extracted(self) -> int:
        """How many images had to pass the extractor."""
        return self._store.extracted

    def _stored_features(self, name: str, split: Split) -> StoredFeatures:
        about = f"{split.name} through {self._config.extractor}"
        wanted = Wanted(about, self._identity(split), split, self._extractor)
        with self._display.bar(f"extracting {name}", "images") as extracting:
            return self._store.features(wanted, extracting)

    def _fit_in_memory(self, features: Iterable[StoredFeatures]) -> bool:
        gigabytes = sum(stored.bytes for stored in features) / 1e9
        fit = gigabytes <= self._config.feature_memory
        if not fit:
            self._display.say(
                f"features: {gigabytes:.1f} GB are read from the disk as training goes on"
                f" (--feature-memory {self._config.feature_memory:g})"
            )
        return fit

    def _identity(self, split: Split) -> dict[str, object]:
        return {
            "split": split.fingerprint,
            "extractor": self._digest,
            "image_size": self._config.image_size or stated_image_size(self._config.extractor),
            "images": PREPARATION,
            "freezing": FREEZING,
            "dtype": "float32",
            "tensorflow": tf.__version__,
        }
