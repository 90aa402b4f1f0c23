"""A SavedModel: signatures for serving, and a module for hub.KerasLayer.

The module is a reusable SavedModel of TensorFlow Hub: `__call__` gives logits, and with
`return_endpoints=True` a dict of "default" and "feature_vector", as modules of that hub do. A
signature would give the features too, but hub.KerasLayer cannot train through one; and so
`--extractor DIR@feature_vector` reads an exported module as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.exporting.served import DEFAULT, IMAGE_BYTES, IMAGES, ServedModel
from trainer.extractors.hub_modules import HubNetwork

SERVING_DEFAULT = "serving_default"


def write_saved_model(served: ServedModel, folder: Path) -> None:
    """Write the model's files into a folder."""
    tf.saved_model.save(reusable_module(served), str(folder), signatures=signatures(served))


def signatures(served: ServedModel) -> dict[str, Any]:
    """The functions for serving: from encoded images, and from images or a task's own inputs."""

    def from_tensors(**tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return served.scores_and_names(tensors)

    def from_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return served.scores_and_names({IMAGES: served.images(image_bytes)})

    traced = tf.function(from_tensors).get_concrete_function(**served.input_specs)
    if not served.takes_images:
        return {SERVING_DEFAULT: traced}
    encoded = tf.TensorSpec([None], tf.string, IMAGE_BYTES)
    decoded = tf.function(from_bytes).get_concrete_function(encoded)
    return {SERVING_DEFAULT: decoded, IMAGES: traced}


def reusable_module(served: ServedModel) -> tf.train.Checkpoint:
    """The network behind the interface that TensorFlow Hub asks of a reusable SavedModel."""

    @tf.function
    def call(inputs: Any, training: bool = False, return_endpoints: bool = False) -> Any:
        endpoints = served.endpoints(inputs, training)
        return endpoints if return_endpoints else endpoints[DEFAULT]

    for training in (False, True):
        for return_endpoints in (False, True):
            call.get_concrete_function(_named(served), training, return_endpoints)
    model = served.network.model
    module = tf.train.Checkpoint()
    module.variables = [variable.value for variable in model.variables]
    trained = model.trainable_variables if served.trainable else []
    module.trainable_variables = [variable.value for variable in trained]
    module.regularization_losses = _regularization_losses(model) if served.trainable else []
    module.extractor_variables = _variables_below(served)
    module.__call__ = call
    return module


def _named(served: ServedModel) -> Any:
    return tf.nest.pack_sequence_as(served.network.input_spec, [*served.input_specs.values()])


def _regularization_losses(model: keras.Model) -> list[Callable[[], tf.Tensor]]:
    """A function for the loss of each variable that has one, and of each module below the head."""

    def of_variable(variable: Any) -> Callable[[], tf.Tensor]:
        return tf.function(lambda: variable.regularizer(variable), input_signature=[])

    def of_module(network: HubNetwork) -> Callable[[], tf.Tensor]:
        return tf.function(lambda: tf.add_n(network.module.losses), input_signature=[])

    variables = [v for v in model.trainable_variables if getattr(v, "regularizer", None)]
    modules = [layer for layer in model._flatten_layers() if isinstance(layer, HubNetwork)]
    return [
        *map(of_variable, variables),
        *(of_module(network) for network in modules if network.module.losses),
    ]


def _variables_below(served: ServedModel) -> list[tf.Variable]:
    """Those of a frozen extractor; none where its weights are constants of the graph."""
    extractor = served.network.extractor
    return [] if extractor is None else list(getattr(extractor.network, "variables", []))
