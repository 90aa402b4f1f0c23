"""From a source to the batches that the loop takes, and the network that stands below the head."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import keras

from trainer.config.config import Config
from trainer.core.cache_folder import FEATURES
from trainer.data.pipeline.augment import Augmentation, EpochAugmentation
from trainer.data.pipeline.batches import PREPARATION
from trainer.data.pipeline.mixup import mixing_from_config
from trainer.data.splits import Source, Split
from trainer.extractors.hub_modules import USUAL_IMAGE_SIZE
from trainer.extractors.loading import Extractor, Network, extractor_identity, load_network
from trainer.features.features import StoredFeatures
from trainer.features.store import FeatureSpec, FeatureStore
from trainer.loop.batches import (
    Batches,
    FeatureBatches,
    ImageBatches,
    StreamedFeatureBatches,
)
from trainer.optimization.precision import dtype_policy_scope
from trainer.report.progress import Display


class BatchFactory:
    """Makes feature batches where an extractor is frozen, and image batches for all else."""

    def __init__(self, config: Config, display: Display, channels: int = 3) -> None:
        """Find the extractor's files; it is loaded only if an image has to pass it.

        Without an extractor images have as many channels as the task says; with one they are RGB.

        Raises:
            UserError: there is no such extractor, or it is not one for this way of transfer.
        """
        self._config, self._display = config, display
        self._store = FeatureStore(config.cache_folder / FEATURES, display.say)
        self._channels = 3 if config.uses_extractor else channels
        self._augmentation = Augmentation.from_config(config)
        self._identity = extractor_identity(config) if config.uses_extractor else {}
        self._frozen = functools.cache(lambda: load_network(config))
        self._extractor = functools.cache(lambda: Extractor.of(self._frozen()))

    @functools.cached_property
    def network(self) -> Network | None:
        """What stands below the head in the model: nothing where it is given features.

        Raises:
            UserError: it cannot be loaded, or cannot learn.
        """
        if not self._config.uses_extractor or self.uses_cached_features:
            return None
        with dtype_policy_scope(self._config.precision):
            return load_network(self._config, learns=self._config.extractor_trainable)

    @property
    def layer(self) -> keras.layers.Layer | None:
        """The network's layer in the model."""
        return self.network and self.network.layer

    def batches(self, source: Source) -> dict[str, Batches]:
        """The batches of every split, by its name.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        if self.uses_cached_features:
            return self.feature_batches(source, self._config.augment_copies)
        return self._image_batches(source)

    def feature_batches(self, source: Source, copies: int = 0) -> dict[str, Batches]:
        """The batches of every split as the extractor's features, frozen as it was loaded.

        Args:
            source: The splits.
            copies: Of each training image so many, each varied in its own way, and not itself.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        copies_of = {name: copies if name == "train" else 0 for name in source.splits}
        stored = {
            name: self._stored(name, split, copies_of[name])
            for name, split in source.splits.items()
        }
        batching = (self._config.batch_size, self._config.seed)
        if self._fit_in_memory(stored.values()):
            return {
                name: FeatureBatches(kept.loaded(), *batching, max(1, copies_of[name]))
                for name, kept in stored.items()
            }
        return {
            name: StreamedFeatureBatches(kept, *batching, max(1, copies_of[name]))
            for name, kept in stored.items()
        }

    @property
    def below_features(self) -> Network | None:
        """The extractor whose features the batches are; loaded to be looked at, if it was not."""
        return self._frozen() if self.uses_cached_features else None

    @property
    def extracted(self) -> int:
        """How many images had to pass the extractor."""
        return self._store.extracted

    @property
    def uses_cached_features(self) -> bool:
        """Whether an image gives the same features in every epoch, or one of some copies."""
        varied = bool(self._augmentation) and not self._config.augment_copies
        mixed = self._config.mixup or self._config.cutmix
        return self._config.uses_extractor and not (
            self._config.extractor_trainable or varied or mixed
        )

    def _image_batches(self, source: Source) -> dict[str, Batches]:
        own_size = self.network.image_size if self.network else USUAL_IMAGE_SIZE
        side = self._config.image_size or own_size
        batches = functools.partial(
            ImageBatches,
            image_size=side,
            batch_size=self._config.batch_size,
            seed=self._config.seed,
            channels=self._channels,
        )
        splits: dict[str, Batches] = {name: batches(s) for name, s in source.splits.items()}
        splits["train"] = batches(
            source.splits["train"],
            augmentation=self._augmentation,
            mixing=mixing_from_config(self._config, len(source.classes)),
        )
        return splits

    def _stored(self, name: str, split: Split, copies: int) -> StoredFeatures:
        about = f"{split.name} through {self._config.extractor}"
        identity = {**self._identity, "split": split.fingerprint, "images": PREPARATION}
        wanted = FeatureSpec(about, {**identity, "dtype": "float32"}, split, self._extractor)
        with self._display.bar(f"extracting {name}", "images") as extracting:
            if copies:
                return self._store.copies(wanted, self._variations(copies), extracting)
            return self._store.features(wanted, extracting)

    def _variations(self, copies: int) -> list[EpochAugmentation]:
        assert self._augmentation is not None, "asked for in the beginning"
        seed = self._config.seed
        return [EpochAugmentation(self._augmentation, seed, copy) for copy in range(copies)]

    def _fit_in_memory(self, features: Iterable[StoredFeatures]) -> bool:
        gigabytes = sum(stored.bytes for stored in features) / 1e9
        fit = gigabytes <= self._config.feature_memory
        if not fit:
            self._display.say(
                f"features: {gigabytes:.1f} GB are read from the disk as training goes on"
                f" (--feature-memory {self._config.feature_memory:g})"
            )
        return fit
