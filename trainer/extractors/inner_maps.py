"""What inner layers of a network make of images: maps of features, and Grad-CAM from them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.extractors.hub_modules import HubNetwork

Maps = dict[str, tf.Tensor]
"""By layer or endpoint, from the first to the last: float32 [images, height, width, channels]."""

_SAME = 1e-4
"""How far averaged maps may be from features that are their average."""


def inner_maps(layers: Sequence[keras.layers.Layer], images: tf.Tensor) -> Maps:
    """The maps that some layers, one behind the other, make of images.

    Args:
        layers: Models among them are looked into; hub modules, where they have endpoints.
        images: float32 [images, height, width, channels] in [0, 1].
    """
    maps, outputs = Maps(), images
    for layer in chain(layers):
        maps |= {name: found for name, found in _maps_within(layer, outputs) if _is_map(found)}
        outputs = layer(outputs, training=False)
        if _is_map(outputs):
            maps.setdefault(layer.name, outputs)
    return maps


def grad_cam(
    layers: Sequence[keras.layers.Layer],
    images: tf.Tensor,
    score: Callable[[Any], tf.Tensor],
) -> tf.Tensor | None:
    """Where each image speaks for its score: float32 [images, height, width] in [0, 1].

    The last maps, weighted by how the score changes with each of them (Selvaraju et al.,
    arXiv 1610.02391). None where the network shows no maps that the score is computed from.

    Args:
        layers: From images to logits, one behind the other.
        images: float32 [images, height, width, channels] in [0, 1].
        score: Of the logits, one for each image.
    """
    maps, is_averaged, behind = _last_maps(list(chain(layers)), images)
    if maps is None:
        return None
    with tf.GradientTape() as tape:
        tape.watch(maps)
        outputs = tf.reduce_mean(maps, [1, 2]) if is_averaged else maps
        for layer in behind:
            outputs = layer(outputs, training=False)
        scores = score(outputs)
    weights = tf.reduce_mean(tape.gradient(scores, maps), [1, 2], keepdims=True)
    shown = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))
    return tf.math.divide_no_nan(shown, tf.reduce_max(shown, [1, 2], keepdims=True))


def chain(layers: Sequence[keras.layers.Layer]) -> Iterator[keras.layers.Layer]:
    """The layers, with those of a Sequential in its place."""
    for layer in layers:
        if isinstance(layer, keras.Sequential):
            yield from chain(layer.layers)
        else:
            yield layer


def _last_maps(
    layers: Sequence[keras.layers.Layer], images: tf.Tensor
) -> tuple[tf.Tensor | None, bool, Sequence[keras.layers.Layer]]:
    """The last maps, whether what follows takes their averages, and the layers that follow."""
    outputs, found = images, None
    for number, layer in enumerate(layers):
        outputs = layer(outputs, training=False)
        if _is_map(outputs):
            found = outputs, False, layers[number + 1 :]
        elif isinstance(layer, HubNetwork):
            averaged = _averaged_endpoint(layer, images, outputs)
            return averaged, True, layers[number + 1 :]
    return found or (None, False, ())


def _averaged_endpoint(
    module: HubNetwork, images: tf.Tensor, features: tf.Tensor
) -> tf.Tensor | None:
    for endpoint in reversed(list(module.endpoints(images).values())):
        if _is_map(endpoint) and endpoint.shape[-1] == features.shape[-1]:
            difference = tf.abs(tf.reduce_mean(endpoint, [1, 2]) - features)
            if float(tf.reduce_max(difference)) < _SAME:
                return endpoint
    return None


def _maps_within(layer: keras.layers.Layer, inputs: tf.Tensor) -> Iterator[tuple[str, tf.Tensor]]:
    if isinstance(layer, HubNetwork):
        found = layer.endpoints(inputs)
        yield from sorted(found.items(), key=lambda pair: _depth(*pair))
    elif isinstance(layer, keras.Model):
        inner = [one for one in layer.layers if _is_map(getattr(one, "output", None))]
        inner = [one for one in inner if not isinstance(one, keras.layers.InputLayer)]
        outputs = keras.Model(layer.inputs, [one.output for one in inner])(inputs, training=False)
        yield from zip((one.name for one in inner), tf.nest.flatten(outputs), strict=True)


def _depth(name: str, maps: tf.Tensor) -> tuple[Any, ...]:
    """Sorts endpoints as a network has them: the largest maps first, block_2 before block_10."""
    height = maps.shape[1] if _is_map(maps) else 0
    numbers = [int(number) for number in re.findall(r"\d+", name)]
    return -height, numbers or [sys.maxsize], name


def _is_map(outputs: Any) -> bool:
    shape = getattr(outputs, "shape", ())
    return len(shape) == 4
