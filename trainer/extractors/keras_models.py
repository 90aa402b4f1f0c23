"""Models of keras.applications without their classifier, with their own preprocessing."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import keras

from trainer.core.errors import UserError
from trainer.core.text import first_line, nearest_name
from trainer.extractors.hub_modules import DEFAULT_IMAGE_SIZE, unknown_endpoint_message
from trainer.extractors.names import KERAS, ExtractorName

IMAGENET, RANDOM = "imagenet", "none"
"""The values of `--weights` that are not the path of a file."""

_IMAGE_SIZES = {
    **dict.fromkeys(("InceptionResNetV2", "InceptionV3", "Xception"), 299),
    "NASNetLarge": 331,
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
}


def keras_image_size(name: ExtractorName) -> int:
    """Height and width in pixels of the images that a model was trained on."""
    return _IMAGE_SIZES.get(name.keras_model, DEFAULT_IMAGE_SIZE)


def load_keras_network(name: ExtractorName, image_size: int, weights: str) -> keras.Model:
    """A model from images float32 [batch, size, size, 3] in [0, 1] to feature maps.

    The maps are its last ones, or the activation of the layer that the endpoint names. Random
    weights follow from the seed of Keras.

    Args:
        name: keras:NAME or keras:NAME@LAYER.
        image_size: Height and width of the images in pixels.
        weights: imagenet (from the cache of Keras, else downloaded), none (random), or a file.

    Raises:
        UserError: unknown model, layer or weights, or images too small for the model.
    """
    application = _application(name)
    model = _build(name, application, image_size, weights)
    inner = keras.Model(model.input, _activation(name, model), name=model.name)
    preprocess = inspect.getmodule(application).preprocess_input  # type: ignore[union-attr]
    images = keras.Input(model.input.shape[1:])
    return keras.Model(images, inner(preprocess(images * 255.0)), name="extractor")


def freeze_batch_norms(network: keras.Model) -> None:
    """Make the batch norms of a model untrainable: they keep their averages, scales and shifts.

    To call a model with training=False within another has no effect in the training of that one
    (Keras 3.15): its own training=True is passed on to all layers.
    """
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def freeze_layers_before(network: keras.Model, name: ExtractorName, first: str) -> None:
    """Make the layers of a model before a certain one untrainable.

    Args:
        network: From `load_keras_network`.
        name: Its name, for the message.
        first: The first layer that stays trainable.

    Raises:
        UserError: there is no such layer.
    """
    model = network.layers[-1]
    for layer in model.layers[: layer_number(model, name, first)]:
        freeze(layer)


def freeze(layer: keras.layers.Layer) -> None:
    """Make a layer, or a model, untrainable, and let it give the same in training as in inference.

    Keras runs an untrainable batch norm as in inference by itself, and drops out all the same.
    """
    layer.trainable = False
    for inner in layer._flatten_layers():
        if isinstance(inner, keras.layers.Dropout):
            inner.rate = 0.0


def layer_number(model: keras.Model, name: ExtractorName, first: str) -> int:
    """Where a model has the layer of `--unfreeze-from`.

    Args:
        model: Of keras.applications.
        name: Its name, for the message.
        first: The name of the layer.

    Raises:
        UserError: there is no such layer.
    """
    names = [layer.name for layer in model.layers]
    if first not in names:
        raise UserError(f"--unfreeze-from: {_unknown_layer_message(name, first, names)}")
    return names.index(first)


def crossing_activations(model: keras.Model, number: int) -> list[keras.KerasTensor]:
    """What the layers of a model from a number on take from those before it, each once."""
    below = {id(layer) for layer in model.layers[:number]}
    above = {id(layer) for layer in model.layers[number:]}
    taken = [
        tensor
        for nodes in model._nodes_by_depth.values()
        for node in nodes
        if id(node.operation) in above
        for tensor in node.input_tensors
        if id(tensor._keras_history.operation) in below
    ]
    return list({id(tensor): tensor for tensor in taken}.values())


def _application(name: ExtractorName) -> Callable[..., keras.Model]:
    models = [model for model in dir(keras.applications) if model[0].isupper()]
    if name.keras_model in models:
        return getattr(keras.applications, name.keras_model)
    hint = _nearest_or_all(name.keras_model, models, prefix=KERAS)
    raise UserError(f"--extractor {name.network}: keras.applications has no such model; {hint}")


def _build(
    name: ExtractorName, application: Callable[..., keras.Model], size: int, weights: str
) -> keras.Model:
    if weights not in (IMAGENET, RANDOM) and not Path(weights).is_file():
        raise UserError(
            f"--weights {weights}: there is no such file; choose {IMAGENET}, {RANDOM} or a file"
        )
    initial = None if weights == RANDOM else weights
    try:
        return application(include_top=False, weights=initial, input_shape=(size, size, 3))
    except Exception as error:  # what Keras raises where a download fails is a bare Exception
        raise _as_user_error(name, weights, error) from error


def _as_user_error(name: ExtractorName, weights: str, error: Exception) -> Exception:
    """The UserError for what Keras raised while it built a model; a bug of ours as it is."""
    reason = first_line(error)
    url = re.search(r"URL fetch failure on (\S+?):? ", f"{reason} ")
    if url:
        cache = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
        file = cache / url[1].rpartition("/")[2]
        return UserError(
            f"--weights {weights}: the weights of {name.network} cannot be downloaded; put"
            f" {url[1]} at {file}, or choose --weights {RANDOM} or a file"
        )
    if "Input size must be" in reason:
        return UserError(f"--extractor {name}: images too small ({reason}); raise --image-size")
    if weights not in (IMAGENET, RANDOM):
        return UserError(
            f"--weights {weights}: not the weights of {name.network} ({reason});"
            f" choose {IMAGENET}, {RANDOM} or another file"
        )
    return error


def _activation(name: ExtractorName, model: keras.Model) -> Any:
    if name.endpoint is None:
        return model.output
    names = [layer.name for layer in model.layers]
    if name.endpoint not in names:
        raise UserError(
            unknown_endpoint_message(name, names)
            if not name.endpoint
            else f"--extractor {name}: {_unknown_layer_message(name, name.endpoint, names)}"
        )
    return model.get_layer(name.endpoint).output


def _unknown_layer_message(name: ExtractorName, layer: str, names: list[str]) -> str:
    return f"{name.network} has no layer {layer!r}; {_nearest_or_all(layer, names)}"


def _nearest_or_all(name: str, choices: Collection[str], prefix: str = "") -> str:
    """The nearest name alone, where there is one: a model has too many layers to list."""
    nearest = nearest_name(name, choices)
    return f"did you mean {prefix}{nearest}?" if nearest else f"there are {', '.join(choices)}"
