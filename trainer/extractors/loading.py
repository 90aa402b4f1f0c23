"""The network below a head, as a run's options ask for it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.extractors.freezing import GRAPH_OPTIMIZATIONS, frozen
from trainer.extractors.hub_modules import (
    hub_image_size,
    load_hub_network,
    module_digest,
    require_endpoint,
    stated_image_size,
)
from trainer.extractors.keras_models import (
    IMAGENET,
    RANDOM,
    freeze_below,
    keras_image_size,
    load_keras_network,
)
from trainer.extractors.names import ExtractorName, parse_extractor
from trainer.extractors.random_weights import randomise

POOLINGS: dict[str, Callable[[], keras.layers.Layer]] = {
    "avg": lambda: keras.layers.GlobalAveragePooling2D(),
    "max": lambda: keras.layers.GlobalMaxPooling2D(),
    "flatten": lambda: keras.layers.Flatten(),
}


@dataclasses.dataclass(frozen=True)
class Network:
    """A network below a head, as a layer of the model."""

    name: str
    image_size: int
    layer: keras.layers.Layer
    """Images float32 [batch, image_size, image_size, 3] in [0, 1] to [batch, *shape]."""

    traced: Any
    """The layer's graph for inference, of batches of any number."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features of one image."""
        return tuple(self.traced.structured_outputs.shape[1:])


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A frozen network from images to features.

    ```python
    extractor = Extractor.of(load_network(Config(extractor="efficientnet_lite0")))
    features = extractor(images)  # [batch, 224, 224, 3] in [0, 1] to [batch, 1280]
    ```
    """

    name: str
    image_size: int
    shape: tuple[int, ...]
    """Of the features of one image."""

    network: Callable[[tf.Tensor], Any]

    @classmethod
    def of(cls, network: Network) -> Extractor:
        """A network for use alone: it cannot learn any more, and is as fast as it goes."""
        return cls(network.name, network.image_size, network.shape, frozen(network.traced))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Images float32 [batch, image_size, image_size, 3] in [0, 1] to [batch, *shape]."""
        [features] = tf.nest.flatten(self.network(tf.convert_to_tensor(images)))
        return features


def load_network(config: Config, learns: bool = False) -> Network:
    """The network that `--extractor` names, its features pooled unless `--head` takes maps.

    Raises:
        UserError: there is no such network, it cannot be loaded, gives no features or cannot learn.
    """
    name = _name(config)
    layer, size = _loaded(name, config, learns)
    network = Network(str(name), size, layer, _traced(name, size, layer))
    _require_features(network)
    if config.head is not None and len(network.shape) != 3:
        raise UserError(
            f"--head {config.head} takes maps of features, and {name} gives vectors; name an"
            " @ENDPOINT, or leave it away"
        )
    if config.head is None and len(network.shape) == 3:
        pooled = keras.Sequential([layer, POOLINGS[config.pool]()], name="pooled_extractor")
        return Network(str(name), size, pooled, _traced(name, size, pooled))
    return network


def extractor_identity(config: Config) -> dict[str, Any]:
    """All that shapes features beside the images, as JSON takes it; nothing is loaded for it.

    Raises:
        UserError: there is no such module.
    """
    name = _name(config)
    is_model = name.is_keras_model
    return {
        "extractor": _model_identity(name, config) if is_model else module_digest(name.network),
        "endpoint": name.endpoint,
        "pool": config.pool if config.head is None else None,
        "image_size": config.image_size or stated_image_size(name),
        "freezing": GRAPH_OPTIMIZATIONS,
        "tensorflow": tf.__version__,
    }


def _name(config: Config) -> ExtractorName:
    """Of an extractor to be cut early and nobody says where, an endpoint without a name."""
    name = parse_extractor(config.extractor)
    unsaid = config.transfer == "early" and name.endpoint is None
    return dataclasses.replace(name, endpoint="") if unsaid else name


def _model_identity(name: ExtractorName, config: Config) -> list[Any]:
    weights: Any = config.weights
    if weights == RANDOM:
        weights = [RANDOM, config.seed]
    elif weights != IMAGENET and Path(weights).is_file():
        weights = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    return [name.network, keras.__version__, weights]


def _loaded(name: ExtractorName, config: Config, learns: bool) -> tuple[keras.layers.Layer, int]:
    """A network as it is loaded, and the size of its images."""
    keras.utils.set_random_seed(config.seed)  # random weights follow from it
    load = _loaded_model if name.is_keras_model else _loaded_module
    return load(name, config, learns)


def _loaded_model(
    name: ExtractorName, config: Config, learns: bool
) -> tuple[keras.layers.Layer, int]:
    size = config.image_size or keras_image_size(name)
    weights = RANDOM if config.transfer_mode == "scratch" else config.weights
    model = load_keras_network(name, size, weights)
    model.trainable = learns
    if learns and config.unfreeze_from is not None:
        freeze_below(model, name, config.unfreeze_from)
    return model, size


def _loaded_module(
    name: ExtractorName, config: Config, learns: bool
) -> tuple[keras.layers.Layer, int]:
    layer = load_hub_network(name, learns)
    size = config.image_size or hub_image_size(name, layer)
    if name.endpoint is not None:
        require_endpoint(name, layer, size)
    if config.transfer_mode == "scratch":
        randomise(layer.adopted, config.seed)
    return layer, size


def _traced(name: ExtractorName, size: int, layer: keras.layers.Layer) -> Any:
    def network(images: tf.Tensor) -> Any:
        return layer(images, training=False)

    try:
        images = tf.TensorSpec([None, size, size, 3])
        return tf.function(network, [images]).get_concrete_function()
    except (ValueError, TypeError) as error:
        raise UserError(
            f"--extractor {name} takes no float images of {size}x{size}x3;"
            " try another --image-size, or a feature-vector module"
        ) from error


def _require_features(network: Network) -> None:
    features = network.traced.structured_outputs
    shape = getattr(features, "shape", None)
    if shape is None or shape.rank not in (2, 4) or None in shape[1:]:
        shown = f"of shape {shape}" if shape is not None else f"a {type(features).__name__}"
        raise UserError(
            f"--extractor {network.name} gives {shown}, neither a vector nor a map of features for"
            " each image; use a feature-vector module, or name an @ENDPOINT"
        )
