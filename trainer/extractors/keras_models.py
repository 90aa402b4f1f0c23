"""Models of keras.applications without their classifiers, each with its own preprocessing."""

from __future__ import annotations

import difflib
import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from trainer.core.errors import UserError
from trainer.extractors.hub_modules import USUAL_IMAGE_SIZE, no_such_endpoint
from trainer.extractors.names import KERAS, ExtractorName

IMAGENET, RANDOM = "imagenet", "none"
"""What `--weights` may say beside the path of a file."""

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
    """The side of images that a model was made for, in pixels."""
    return _IMAGE_SIZES.get(name.keras_model, USUAL_IMAGE_SIZE)


def load_keras_network(name: ExtractorName, image_size: int, weights: str) -> keras.Model:
    """A model from images float32 [batch, size, size, 3] in [0, 1] to its last map of features.

    Or to the activation of the layer that the endpoint names. Random weights follow from Keras'
    seed.

    Args:
        name: keras:NAME or keras:NAME@LAYER.
        image_size: Side of the images in pixels.
        weights: imagenet (from Keras' cache, else downloaded), none (random), or a file.

    Raises:
        UserError: no such model, layer or weights, or images too small for it.
    """
    application = _application(name)
    model = _build(name, application, image_size, weights)
    inner = keras.Model(model.input, _activation(name, model), name=model.name)
    preprocess = inspect.getmodule(application).preprocess_input  # type: ignore[union-attr]
    images = keras.Input(model.input.shape[1:])
    return keras.Model(images, inner(preprocess(images * 255.0)), name="extractor")


def freeze_below(network: keras.Model, name: ExtractorName, first: str) -> None:
    """Let a model learn from a layer on: those before it keep their weights.

    Raises:
        UserError: there is no such layer; the nearest are told.
    """
    layers = network.layers[-1].layers
    names = [layer.name for layer in layers]
    if first not in names:
        raise UserError(f"--unfreeze-from: {_no_such_layer(name, first, names)}")
    for layer in layers[: names.index(first)]:
        layer.trainable = False


def _application(name: ExtractorName) -> Callable[..., keras.Model]:
    models = [model for model in dir(keras.applications) if model[0].isupper()]
    if name.keras_model in models:
        return getattr(keras.applications, name.keras_model)
    nearest = difflib.get_close_matches(name.keras_model, models, n=1)
    hint = f"did you mean {KERAS}{nearest[0]}?" if nearest else f"there are {', '.join(models)}"
    raise UserError(f"--extractor {name.network}: keras.applications has no such model; {hint}")


def _build(
    name: ExtractorName, application: Callable[..., keras.Model], size: int, weights: str
) -> keras.Model:
    if weights not in (IMAGENET, RANDOM) and not Path(weights).is_file():
        raise UserError(
            f"--weights {weights}: there is no such file; {IMAGENET} and {RANDOM} do too"
        )
    initial = None if weights == RANDOM else weights
    try:
        return application(include_top=False, weights=initial, input_shape=(size, size, 3))
    except Exception as error:  # what Keras raises where a download fails is a bare Exception
        raise _explained(name, weights, error) from error


def _explained(name: ExtractorName, weights: str, error: Exception) -> Exception:
    """What a person is told of a model that Keras could not build."""
    reason = str(error).strip().splitlines()[0]
    url = re.search(r"URL fetch failure on (\S+?):? ", f"{reason} ")
    if url:
        kept = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
        file = kept / url[1].rpartition("/")[2]
        return UserError(
            f"--weights {weights}: the weights of {name.network} cannot be downloaded; put the file"
            f" of {url[1]} at {file}, or give --weights {RANDOM} or a file"
        )
    if "Input size must be" in reason:
        return UserError(f"--extractor {name}: its images are too small ({reason}); --image-size")
    if weights not in (IMAGENET, RANDOM):
        return UserError(f"--weights {weights}: no weights of {name.network} ({reason})")
    return error


def _activation(name: ExtractorName, model: keras.Model) -> Any:
    if name.endpoint is None:
        return model.output
    names = [layer.name for layer in model.layers]
    if name.endpoint not in names:
        raise UserError(
            no_such_endpoint(name, names)
            if not name.endpoint
            else f"--extractor {name}: {_no_such_layer(name, name.endpoint, names)}"
        )
    return model.get_layer(name.endpoint).output


def _no_such_layer(name: ExtractorName, layer: str, names: list[str]) -> str:
    nearest = difflib.get_close_matches(layer, names, n=3)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(names)}"
    return f"{name.network} has no layer {layer!r}; {hint}"
