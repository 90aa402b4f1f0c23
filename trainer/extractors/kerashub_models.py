"""Backbones of KerasHub's presets, with the preprocessing of images that a preset has."""

from __future__ import annotations

import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainer.core.errors import UserError
from trainer.core.hashing import file_sha256
from trainer.core.text import first_line
from trainer.extractors.hub_modules import DEFAULT_IMAGE_SIZE, unknown_endpoint_message
from trainer.extractors.names import ExtractorName


def load_kerashub_network(
    name: ExtractorName, image_size: int | None, has_weights: bool = True
) -> tuple[keras.Model, int]:
    """A model from images float32 [batch, size, size, 3] in [0, 1] to features, and the size.

    Features are the maps of the backbone, or the activation of the layer that the endpoint names;
    those of a backbone of tokens, their average.

    Args:
        name: kerashub:PRESET or kerashub:PRESET@LAYER; a preset is a name, a folder or an address
            that KerasHub knows.
        image_size: Height and width of the images in pixels; the preset's own where None.
        has_weights: Whether the weights are those of the preset; else they follow from the seed of
            Keras.

    Raises:
        UserError: KerasHub is not installed, it has no such preset, or not one for images.
    """
    hub = _keras_hub(name)
    try:
        backbone, converter, size = _load(hub, name, image_size, has_weights)
    except (ValueError, OSError, KeyError, AttributeError, TypeError, ImportError) as error:
        raise UserError(
            f"--extractor {name} cannot be loaded ({first_line(error)}); choose a preset of"
            " KerasHub that is for images, by its name or folder"
        ) from error
    inner = keras.Model(backbone.input, _features(name, backbone), name=backbone.name)
    images = keras.Input([size, size, 3])
    rescaled = _rescaling(name, converter, size)(images)
    return keras.Model(images, inner(rescaled), name="extractor"), size


def kerashub_identity(name: ExtractorName) -> list[Any]:
    """What the weights of a preset follow from: KerasHub's release, and the files of a folder."""
    preset = Path(name.preset)
    files = sorted(path for path in preset.rglob("*") if path.is_file()) if preset.is_dir() else []
    content = [[str(path.relative_to(preset)), file_sha256(path)] for path in files]
    return [name.network, keras.__version__, _release(name), content]


def _keras_hub(name: ExtractorName) -> Any:
    try:
        import keras_hub  # the extra "kerashub"
    except ImportError as error:
        raise _not_installed(name) from error
    # What downloads presets prints to standard output, where --json is alone.
    logging.getLogger("kagglehub").setLevel(logging.WARNING)
    return keras_hub


def _release(name: ExtractorName) -> str:
    try:
        return importlib.metadata.version("keras-hub")
    except importlib.metadata.PackageNotFoundError as error:
        raise _not_installed(name) from error


def _not_installed(name: ExtractorName) -> UserError:
    return UserError(
        f"--extractor {name} needs KerasHub; pip install 'tf-trainer[kerashub]' brings it (for"
        f" Python 3.11 or later)"
    )


def _load(
    hub: Any, name: ExtractorName, image_size: int | None, has_weights: bool
) -> tuple[keras.Model, keras.layers.Layer, int]:
    backbone = hub.models.Backbone.from_preset(name.preset, load_weights=has_weights)
    converter = hub.layers.ImageConverter.from_preset(name.preset)
    return backbone, converter, _image_size(name, backbone, converter, image_size)


def _image_size(
    name: ExtractorName,
    backbone: keras.Model,
    converter: keras.layers.Layer,
    wanted: int | None,
) -> int:
    """The size wanted, else the preset's; a backbone of tokens takes images of one size only."""
    taken: tuple[int | None, ...] = getattr(backbone.input, "shape", ())
    if len(taken) != 4:
        raise UserError(f"--extractor {name} takes more than images; choose another preset")
    if wanted and taken[1] not in (None, wanted):
        raise UserError(f"--extractor {name} takes images of {taken[1]} pixels; omit --image-size")
    return wanted or taken[1] or (converter.image_size or (DEFAULT_IMAGE_SIZE,))[0]


def _rescaling(
    name: ExtractorName, converter: keras.layers.Layer, size: int
) -> keras.layers.Rescaling:
    """What a converter makes of images of the right size, from [0, 1] in place of [0, 255].

    The converter itself is no layer of a model: it resizes eagerly, by operations of its own.

    Raises:
        UserError: it does more than rescale.
    """
    scale = np.multiply(255.0, 1.0 if converter.scale is None else converter.scale)
    offset = np.asarray(0.0 if converter.offset is None else converter.offset)
    rescaling = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="rescaled")
    probe = np.linspace(0, 1, size * size * 3, dtype="float32").reshape(1, size, size, 3)
    converter.image_size = (size, size)
    if not np.allclose(converter(probe * 255.0), rescaling(probe), rtol=1e-3, atol=1e-3):
        raise UserError(
            f"--extractor {name}: its preprocessing does more than resize and rescale; choose"
            " another preset"
        )
    return rescaling


def _features(name: ExtractorName, backbone: keras.Model) -> Any:
    output = _activation(name, backbone)
    if getattr(output, "ndim", None) != 3:
        return output
    return keras.layers.GlobalAveragePooling1D(name="averaged_tokens")(output)


def _activation(name: ExtractorName, backbone: keras.Model) -> Any:
    if name.endpoint is None:
        return backbone.output
    names = [layer.name for layer in backbone.layers]
    if name.endpoint not in names:
        raise UserError(unknown_endpoint_message(name, names))
    return backbone.get_layer(name.endpoint).output
