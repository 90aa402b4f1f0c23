"""The network below a head, loaded as the options of transfer learning say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.config.transfer import TransferOptions
from trainer.core.errors import UserError
from trainer.core.hashing import file_sha256
from trainer.core.tensorflow_import import onednn_enabled
from trainer.extractors.hub_modules import (
    DEFAULT_IMAGE_SIZE,
    check_endpoint,
    feature_map_endpoints,
    freeze_below_endpoint,
    hub_image_size,
    known_image_size,
    load_hub_network,
    randomise_weights,
)
from trainer.extractors.inference_graph import GRAPH_OPTIMIZATIONS, optimize_for_inference
from trainer.extractors.keras_models import (
    IMAGENET,
    RANDOM,
    freeze,
    freeze_batch_norms,
    freeze_layers_before,
    keras_image_size,
    load_keras_network,
)
from trainer.extractors.kerashub_models import kerashub_identity, load_kerashub_network
from trainer.extractors.module_sources import module_fingerprint
from trainer.extractors.names import ExtractorName, parse_extractor

POOLING_LAYERS: dict[str, Callable[[], keras.layers.Layer]] = {
    "avg": lambda: keras.layers.GlobalAveragePooling2D(),
    "max": lambda: keras.layers.GlobalMaxPooling2D(),
    "flatten": lambda: keras.layers.Flatten(),
}
"""By the values of `--pool`."""

MAP_LAYERS: dict[str, Callable[[], keras.layers.Layer]] = {
    "flatten": lambda: keras.layers.Flatten(name="flattened_map"),
    "avg": lambda: keras.layers.GlobalAveragePooling2D(name="averaged_map"),
}
"""What `--head` puts in front of a head that is given maps of features."""


@dataclasses.dataclass(frozen=True)
class Network:
    """A network below a head, as a layer of the model."""

    name: str
    image_size: int
    """Height and width of the images in pixels."""

    layer: keras.layers.Layer
    """Images float32 [batch, image_size, image_size, 3] in [0, 1] to [batch, *shape]."""

    traced: Any
    """The layer's concrete function for inference, of batches of any size."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image's features."""
        return tuple(self.traced.structured_outputs.shape[1:])


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A frozen network from images to features.

    ```python
    network = load_network(TransferOptions(extractor="efficientnet_lite0"))
    features = Extractor.from_network(network)(images)  # [batch, 224, 224, 3] to [batch, 1280]
    ```
    """

    name: str
    image_size: int
    """Height and width of the images in pixels."""

    shape: tuple[int, ...]
    """The shape of one image's features."""

    network: Callable[[tf.Tensor], Any]

    @classmethod
    def from_network(cls, network: Network) -> Extractor:
        """An extractor with a network's weights as they are now, optimized for inference."""
        optimized = optimize_for_inference(network.traced)
        return cls(network.name, network.image_size, network.shape, optimized)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Features float32 [batch, *shape] of images.

        Images are float32 [batch, image_size, image_size, 3] in [0, 1].
        """
        [features] = tf.nest.flatten(self.network(tf.convert_to_tensor(images)))
        return features


def load_network(options: TransferOptions, seed: int = 0, trainable: bool = False) -> Network:
    """The network of `--extractor`, with pooling to vectors unless `--head` takes feature maps.

    Args:
        options: Which network, and how it is used.
        seed: What its weights follow from, where they are random.
        trainable: Whether training will change its weights.

    Raises:
        UserError: unknown network, it cannot be loaded or trained, or it gives no features.
    """
    name = extractor_name(options)
    layer, size = load_unpooled_layer(name, options, seed, trainable)
    network = Network(str(name), size, layer, trace(str(name), layer, [size, size, 3]))
    _check_features(network)
    if options.head is not None and len(network.shape) != 3:
        remedy = _feature_map_remedy(name, size)
        raise UserError(f"--head {options.head} needs feature maps, and {name} gives {remedy}")
    if options.head is None and len(network.shape) == 3:
        pooled = pooled_layer(layer, options)
        return Network(str(name), size, pooled, trace(str(name), pooled, [size, size, 3]))
    return network


def expected_image_size(options: TransferOptions) -> int:
    """Height and width of the images in pixels, as far as it is known before anything is loaded."""
    name = extractor_name(options)
    known = keras_image_size(name) if name.is_keras_model else known_image_size(name)
    return options.image_size or known or DEFAULT_IMAGE_SIZE


def extractor_identity(options: TransferOptions, seed: int = 0) -> dict[str, Any]:
    """Everything but the images that determines features, as JSON takes it; nothing is loaded.

    Args:
        options: Which network, and how it is used.
        seed: What its weights follow from, where they are random.

    Raises:
        UserError: there is no such module.
    """
    name = extractor_name(options)
    return {
        "extractor": _weights_identity(name, options.weights, seed),
        "endpoint": name.endpoint,
        "pool": options.pool if options.head is None else None,
        "image_size": options.image_size or known_image_size(name),
        "graph_optimizations": GRAPH_OPTIMIZATIONS,
        "tensorflow": tf.__version__,
        "onednn": onednn_enabled(),
    }


def extractor_name(options: TransferOptions) -> ExtractorName:
    """The parts of `--extractor`; `--transfer early` without an endpoint gets an empty one."""
    name = parse_extractor(options.extractor)
    lacks_endpoint = options.transfer == "early" and name.endpoint is None
    return dataclasses.replace(name, endpoint="") if lacks_endpoint else name


def pooled_layer(layer: keras.layers.Layer, options: TransferOptions) -> keras.layers.Layer:
    """A layer that gives maps, and behind it what makes vectors of them."""
    return keras.Sequential([layer, POOLING_LAYERS[options.pool]()], name="pooled_extractor")


def _weights_identity(name: ExtractorName, weights: str, seed: int) -> Any:
    if name.is_kerashub_preset:
        return kerashub_identity(name)
    if not name.is_keras_model:
        return module_fingerprint(name.network)
    content: Any = weights
    if weights == RANDOM:
        content = [RANDOM, seed]
    elif weights != IMAGENET and Path(weights).is_file():
        content = file_sha256(Path(weights))
    return [name.network, keras.__version__, content]


def load_unpooled_layer(
    name: ExtractorName, options: TransferOptions, seed: int, trainable: bool
) -> tuple[keras.layers.Layer, int]:
    """A network without pooling, and the height and width of its images in pixels.

    Args:
        name: Its parts.
        options: How it is used.
        seed: What its weights follow from, where they are random.
        trainable: Whether training will change its weights.

    Raises:
        UserError: unknown network, or it cannot be loaded or trained.
    """
    keras.utils.set_random_seed(seed)  # which random weights follow from
    if name.is_keras_model:
        return _load_keras_layer(name, options, trainable)
    if name.is_kerashub_preset:
        return _load_kerashub_layer(name, options, trainable)
    return _load_hub_layer(name, options, seed, trainable)


def _load_keras_layer(
    name: ExtractorName, options: TransferOptions, trainable: bool
) -> tuple[keras.layers.Layer, int]:
    size = options.image_size or keras_image_size(name)
    weights = RANDOM if options.transfer_mode == "scratch" else options.weights
    model = load_keras_network(name, size, weights)
    _set_trainable(model, name, options, trainable)
    return model, size


def _load_kerashub_layer(
    name: ExtractorName, options: TransferOptions, trainable: bool
) -> tuple[keras.layers.Layer, int]:
    has_weights = options.transfer_mode != "scratch"
    model, size = load_kerashub_network(name, options.image_size, has_weights)
    _set_trainable(model, name, options, trainable)
    return model, size


def _set_trainable(
    model: keras.Model, name: ExtractorName, options: TransferOptions, trainable: bool
) -> None:
    if not trainable:
        freeze(model)
        return
    if not options.learns_batch_norms:
        freeze_batch_norms(model)
    if options.trained_from is not None:
        freeze_layers_before(model, name, options.trained_from)


def _load_hub_layer(
    name: ExtractorName, options: TransferOptions, seed: int, trainable: bool
) -> tuple[keras.layers.Layer, int]:
    layer = load_hub_network(name, trainable, options.learns_batch_norms)
    size = options.image_size or hub_image_size(name, layer)
    if name.endpoint is not None:
        check_endpoint(name, layer, size)
    if trainable and options.trained_from is not None:
        freeze_below_endpoint(layer, name, options.trained_from, size)
    if options.transfer_mode == "scratch":
        randomise_weights(layer.module_weights, seed)
    return layer, size


def trace(name: str, layer: keras.layers.Layer, shape: Sequence[int | None]) -> Any:
    """The concrete function of a layer in inference, of batches of any size.

    Args:
        name: Of the network, for the message.
        layer: Of one tensor.
        shape: Of one example, an image float32 [size, size, 3] say.

    Raises:
        UserError: it does not take such a tensor.
    """

    def network(inputs: tf.Tensor) -> Any:
        return layer(inputs, training=False)

    try:
        inputs = tf.TensorSpec([None, *shape])
        return tf.function(network, [inputs]).get_concrete_function()
    except (ValueError, TypeError) as error:
        raise UserError(
            f"--extractor {name} takes no float images of {'x'.join(map(str, shape))}; choose"
            " another --image-size, or a feature-vector module"
        ) from error


def _feature_map_remedy(name: ExtractorName, size: int) -> str:
    """What to do where a head of feature maps is given the vectors of this network."""
    if name.has_layers:  # at its end there are maps
        return f"vectors; choose --extractor {name.network}, or omit --head"
    endpoints = feature_map_endpoints(name, size)
    if not endpoints:
        return "vectors and has no endpoint with maps; omit --head, or choose another --extractor"
    return (
        f"vectors; choose --extractor {name.network}@{endpoints[-1]}, say, of the endpoints"
        f" {', '.join(endpoints)}, or omit --head"
    )


def _check_features(network: Network) -> None:
    features = network.traced.structured_outputs
    shape = getattr(features, "shape", None)
    if shape is None or shape.rank not in (2, 4) or None in shape[1:]:
        shown = f"shape {shape}" if shape is not None else f"a {type(features).__name__}"
        raise UserError(
            f"--extractor {network.name} gives {shown}, neither a vector nor a feature map for each"
            " image; choose a feature-vector module, or add an @ENDPOINT"
        )
