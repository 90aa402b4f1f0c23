"""The networks below the head of a run: what is frozen, with outputs that are cached, and what is
in the model."""

from __future__ import annotations

import contextlib
import functools

import keras
import tensorflow as tf

from trainer.config.config import Config
from trainer.config.transfer import TransferOptions
from trainer.core.cache_folder import NETWORKS
from trainer.core.errors import UserError
from trainer.data.pipeline.augmentation import Augmentation
from trainer.distribution.variables import variables_of
from trainer.extractors.cutting import CutNetwork, cut_network
from trainer.extractors.hub_modules import DEFAULT_IMAGE_SIZE
from trainer.extractors.kept_graphs import kept_extractor
from trainer.extractors.loading import Extractor, Network, extractor_identity, load_network
from trainer.optimization.precision import dtype_policy_scope


class FrozenNetwork:
    """A network whose weights stay as they are; it is loaded when it is needed."""

    def __init__(self, options: TransferOptions, config: Config) -> None:
        """Find its files.

        Args:
            options: Which network.
            config: The run's.

        Raises:
            UserError: there is no such network.
        """
        self.name = options.extractor
        self.identity = extractor_identity(options, config.seed)
        """All but the images that its outputs depend on."""
        self._options, self._config = options, config

    @functools.cached_property
    def network(self) -> Network:
        """As a layer.

        Raises:
            UserError: it cannot be loaded.
        """
        return load_network(self._options, self._config.seed)

    @functools.cached_property
    def extractor(self) -> Extractor:
        """Optimized for inference; from the cache, where it has it.

        Raises:
            UserError: it cannot be loaded.
        """
        folder = self._config.cache_folder / NETWORKS
        return kept_extractor(folder, self.identity, lambda: self.network)


class RunNetworks:
    """What of the network of `--extractor` is frozen, and what is in the model."""

    def __init__(self, config: Config, strategy: tf.distribute.Strategy) -> None:
        """Find the network's files; what is in the model is loaded when it is needed.

        Args:
            config: The run's options.
            strategy: Whose replicas the variables of the model have copies on.

        Raises:
            UserError: there is no such network, or it is not one for this way of transfer.
        """
        self._config, self._strategy = config, strategy
        self.whole = FrozenNetwork(config, config) if config.uses_extractor else None
        """The network as it comes, with whose features a head is warmed up."""

    @functools.cached_property
    def cached(self) -> FrozenNetwork | None:
        """What an image passes once, all of the network or its frozen part, and what comes out is
        cached; None where an image changes from epoch to epoch, or all of the network learns.

        Raises:
            UserError: augmented copies are asked for, and there is nothing to cache.
        """
        config = self._config
        augments = Augmentation.from_config(config) is not None and not config.augment_copies
        if augments or config.mixup or config.cutmix:
            return None
        if not config.extractor_trainable:
            return self.whole
        if self._cut is not None:
            return FrozenNetwork(self._cut.trunk, config)
        if config.augment_copies:
            raise UserError(
                f"--augment-copies: {config.extractor} cannot be cut at {config.trained_from}, so"
                " that there are no features to cache; omit it"
            )
        return None

    @functools.cached_property
    def layer(self) -> keras.layers.Layer | None:
        """What is in the model below the head; None where the head alone is.

        Raises:
            UserError: it cannot be loaded, or cannot learn.
        """
        if self.cached is None:
            return self._in_model and self._in_model.layer
        return self._cut and self._cut.upper

    @property
    def image_size(self) -> int:
        """Height and width of the images in pixels."""
        below = self.cached.extractor if self.cached is not None else self._in_model
        own_size = below.image_size if below else DEFAULT_IMAGE_SIZE
        return self._config.image_size or own_size

    @functools.cached_property
    def _cut(self) -> CutNetwork | None:
        """The frozen part and the part that learns, where there are two."""
        config = self._config
        if config.trained_from is None:
            return None
        with variables_of(self._strategy), dtype_policy_scope(config.precision):
            return cut_network(config, config.seed)

    @functools.cached_property
    def _in_model(self) -> Network | None:
        """The whole network, in the model."""
        config = self._config
        if not config.uses_extractor:
            return None
        # What is frozen has no copies on the replicas: nothing changes it.
        learns = config.extractor_trainable and self._cut is None
        scope = variables_of(self._strategy) if learns else contextlib.nullcontext()
        with scope, dtype_policy_scope(config.precision):
            if self._cut is not None:
                return self._cut.joined(load_network(self._cut.trunk, config.seed))
            return load_network(config, config.seed, trainable=learns)
