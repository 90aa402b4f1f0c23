"""From the data of a run to the batches that the loop takes, and the network below the head."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from trainer.config.config import Config
from trainer.core.addresses import address_of
from trainer.core.cache_folder import FEATURES
from trainer.core.errors import UserError
from trainer.data.labels import check_class_labels
from trainer.data.own_data import Arrays, DataPipeline
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import Augmentation
from trainer.data.pipeline.batches import preparation
from trainer.data.pipeline.mixup import Mixing
from trainer.data.splits import Source, Split
from trainer.distribution.rows import all_rows
from trainer.distribution.workers import Workers
from trainer.extractors.loading import Extractor, Network, expected_image_size
from trainer.features.features import StoredFeatures
from trainer.features.store import FeatureSpec, FeatureStore
from trainer.loop.array_batches import (
    ArrayBatches,
    FeatureBatches,
    PipelineBatches,
    StreamedFeatureBatches,
)
from trainer.loop.batches import Batches, ImageBatches
from trainer.remote.features import RemoteFeatures
from trainer.report.clock import Clock
from trainer.setup.decoded_images import decoded_batches, gigabytes_decoded
from trainer.setup.networks import FrozenNetwork, RunNetworks

logger = logging.getLogger(__name__)


class BatchFactory:
    """Makes feature batches where an extractor is frozen, and image batches otherwise."""

    def __init__(self, config: Config, channels: int = 3, workers: Workers | None = None) -> None:
        """Find the extractor's files; it is loaded only if an image has to pass it.

        Args:
            config: The run's options.
            channels: Of the images where there is no extractor; with one they are RGB.
            workers: Those of the run, of which each decodes its rows of a batch; it is alone, when
                None.

        Raises:
            UserError: there is no such extractor, or it is not one for this way of transfer.
        """
        self._config = config
        self._rows = None if workers is None else workers.rows(config.batch_size)
        self._store = _feature_store(config)
        self._channels = 3 if config.uses_extractor else channels
        self._augmentation = Augmentation.from_config(config)
        strategy = tf.distribute.get_strategy() if workers is None else workers.strategy
        self._networks = RunNetworks(config, strategy)

    @property
    def uses_cached_features(self) -> bool:
        """Whether the batches are features: of a frozen extractor, or of the frozen part of one."""
        return self._networks.cached is not None

    @property
    def layer(self) -> keras.layers.Layer | None:
        """What is in the model below the head; None where the head alone is.

        Raises:
            UserError: it cannot be loaded, or cannot learn.
        """
        return self._networks.layer

    @property
    def extracted_size(self) -> int | None:
        """The side of the images that the batches are features of, in pixels; nothing is loaded."""
        return expected_image_size(self._config) if self.uses_cached_features else None

    @property
    def image_shape(self) -> tuple[int, int]:
        """The side and the channels of the images that the network takes."""
        return self._networks.image_size, self._channels

    @property
    def extractor(self) -> Extractor | None:
        """From images to the features that the batches are, optimized for inference.

        Raises:
            UserError: it cannot be loaded.
        """
        cached = self._networks.cached
        return None if cached is None else cached.extractor

    @property
    def below_features(self) -> Network | None:
        """The same as a layer; it is loaded if it was not."""
        cached = self._networks.cached
        return None if cached is None else cached.network

    def batches(self, source: Source) -> dict[str, Batches]:
        """The batches of every split, by its name.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        if source.own_data is not None:
            own = {name: self._own_batches(found) for name, found in source.own_data.items()}
            return self._with_sampling(own)
        if self._networks.cached is not None:
            copies = self._config.augment_copies
            return self._feature_batches_of(source, self._networks.cached, copies)
        return self._with_sampling(self._image_batches(source))

    def head_batches(self, source: Source) -> dict[str, Batches]:
        """The batches of every split as features of the whole extractor as it comes.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        assert self._networks.whole is not None, "a run without an extractor asks for no features"
        return self._feature_batches_of(source, self._networks.whole)

    def split_batches(
        self,
        split: Split,
        own_data: Arrays | DataPipeline | None,
        view: EpochAugmentation | None = None,
    ) -> Batches:
        """The batches of one split as an evaluation takes them: in stored order, not augmented.

        Args:
            split: Its examples.
            own_data: What takes their place where they are no images.
            view: What is done with every image all the same.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        if own_data is not None:
            return self._own_batches(own_data)
        if self.uses_cached_features:
            kept = self.stored_features(split, view=view)
            return self._feature_batches(kept, 1, split.weights, self._fit_in_memory([kept]))
        return self._make_image_batches(split, view=view)

    def stored_features(
        self, split: Split, view: EpochAugmentation | None = None
    ) -> StoredFeatures:
        """The features of a split that are cached, extracted as far as they are not.

        Args:
            split: The images.
            view: How each is augmented, if it is.

        Raises:
            UserError: the extractor cannot be loaded, or its features cannot be kept.
        """
        assert self._networks.cached is not None, "without uses_cached_features there are none"
        return self._stored(split, self._networks.cached, view=view)

    def images_per_second(self, clock: Clock) -> float | None:
        """The speed of the extractor; None if no image had to pass it."""
        extracted = self._store.extracted
        return round(extracted / clock.seconds["extract"], 1) if extracted else None

    def _with_sampling(self, batches: dict[str, Batches]) -> dict[str, Batches]:
        """The same, of which training takes the classes as `--sampling` says."""
        if self._config.sampling == "balanced":
            train = batches["train"]
            if isinstance(train, PipelineBatches):
                raise UserError("--sampling: a pipeline has an order of its own; omit it")
            check_class_labels("--sampling", train.labels)
            train.balanced = True
        return batches

    def _own_batches(self, data: Arrays | DataPipeline) -> Batches:
        batch_size, seed = self._config.batch_size, self._config.seed
        if isinstance(data, DataPipeline):
            return PipelineBatches(data, batch_size, seed)
        return ArrayBatches(data.inputs, data.labels, batch_size, seed, weights=data.weights)

    def _feature_batches_of(
        self, source: Source, network: FrozenNetwork, copies: int = 0
    ) -> dict[str, Batches]:
        """The batches of every split as outputs of a frozen network.

        Args:
            source: The splits.
            network: What an image passes.
            copies: How many augmented copies stand in for each training image; 0 for itself.
        """
        copies_of = {name: copies if name == "train" else 0 for name in source.splits}
        stored = {
            name: self._stored(split, network, copies_of[name])
            for name, split in source.splits.items()
        }
        fit_in_memory = self._fit_in_memory(stored.values())
        batches = {
            name: self._feature_batches(
                kept, max(1, copies_of[name]), source.splits[name].weights, fit_in_memory
            )
            for name, kept in stored.items()
        }
        return self._with_sampling(batches)

    def _stored(
        self,
        split: Split,
        network: FrozenNetwork,
        copies: int = 0,
        view: EpochAugmentation | None = None,
    ) -> StoredFeatures:
        dtype, resize = self._config.feature_dtype, self._config.resize
        identity = {
            **network.identity,
            "split": split.fingerprint,
            "images": preparation(resize),
            "dtype": dtype,
        }
        about = f"{split.name} through {network.name}"
        spec = FeatureSpec(
            about, identity, split, lambda: network.extractor, resize=resize, dtype=dtype
        )
        if copies:
            return self._store.copies(spec, self._augmentations(copies))
        return self._store.features(spec if view is None else spec.augmented(view))

    def _feature_batches(
        self, kept: StoredFeatures, copies: int, weights: np.ndarray | None, in_memory: bool
    ) -> Batches:
        batch_size, seed = self._config.batch_size, self._config.seed
        compiles = self.layer is None  # XLA is slow at the convolutions of an extractor
        if in_memory:
            return FeatureBatches(kept.load(), batch_size, seed, copies, weights, compiles)
        return StreamedFeatureBatches(kept, batch_size, seed, copies, weights, compiles)

    def _image_batches(self, source: Source) -> dict[str, Batches]:
        mixing = Mixing.from_config(self._config, len(source.classes))
        batches = {name: self._make_image_batches(split) for name, split in source.splits.items()}
        same_in_every_epoch = ["train", "validation"]
        if self._augmentation is not None or mixing is not None:
            train = source.splits["train"]
            batches["train"] = self._make_image_batches(train, self._augmentation, mixing)
            same_in_every_epoch = ["validation"]
        if self._fit_decoded(source.splits[name] for name in same_in_every_epoch):
            for name in same_in_every_epoch:
                split = source.splits[name]
                batches[name] = decoded_batches(split, *self.image_shape, self._config)
        return batches

    def _fit_decoded(self, splits: Iterable[Split]) -> bool:
        """Whether images can stay in memory; of several workers each decodes its rows alone."""
        is_alone = self._rows in (None, all_rows(self._config.batch_size))
        gigabytes = sum(gigabytes_decoded(split, *self.image_shape) for split in splits)
        return is_alone and gigabytes <= self._config.feature_memory

    def _make_image_batches(
        self,
        split: Split,
        augmentation: Augmentation | None = None,
        mixing: Mixing | None = None,
        view: EpochAugmentation | None = None,
    ) -> Batches:
        (size, channels), config = self.image_shape, self._config
        return ImageBatches(
            *(split, size, config.batch_size, config.seed),
            *(augmentation, mixing, channels, self._rows),
            resize=config.resize,
            view=view,
        )

    def _augmentations(self, copies: int) -> list[EpochAugmentation]:
        assert self._augmentation is not None, "--augment-copies without it is refused before"
        seed = self._config.seed
        return [EpochAugmentation(self._augmentation, seed, copy) for copy in range(copies)]

    def _fit_in_memory(self, features: Iterable[StoredFeatures]) -> bool:
        gigabytes = sum(stored.bytes for stored in features) / 1e9
        fit = gigabytes <= self._config.feature_memory
        if not fit:
            logger.info(
                "features: %.1f GB are read from the disk during training (--feature-memory %g)",
                *(gigabytes, self._config.feature_memory),
            )
        return fit


def _feature_store(config: Config) -> FeatureStore:
    address = None if config.cache_dir is None else address_of(config.cache_dir)
    remote = None if address is None else RemoteFeatures(f"{address}/{FEATURES}")
    return FeatureStore(config.cache_folder / FEATURES, remote)
