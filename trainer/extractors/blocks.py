"""The blocks of a network that is trained, from the lowest to the highest."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from trainer.extractors.cutting import HubUpperPart, all_stages
from trainer.extractors.hub_modules import HubNetwork
from trainer.extractors.inner_maps import chain
from trainer.extractors.keras_models import crossing_activations

_LAST_LAYERS = (
    keras.layers.Add,
    keras.layers.Concatenate,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
)
"""What a block of keras.applications ends with, where all that follows depends on it alone."""


def trained_blocks(network: keras.layers.Layer) -> list[list[keras.Variable]]:
    """The trainable weights of each block of a network, without blocks that have none.

    A hub module has those that it offers as stages, and what lies below; one of a Keras model
    behind a sum, a concatenation or a pooling through which all activations pass. Another network
    is one block.

    Args:
        network: The layers of a Sequential follow each other.
    """
    found = [block for layer in chain([network]) for block in _blocks(layer)]
    return [block for block in found if block]


def _blocks(layer: keras.layers.Layer) -> Iterator[list[keras.Variable]]:
    if isinstance(layer, HubNetwork | HubUpperPart):
        yield from _hub_blocks(layer)
    elif isinstance(layer, keras.Model) and isinstance(layer.layers[-1], keras.Model):
        yield from _keras_blocks(layer.layers[-1])
    else:
        yield layer.trainable_variables


def _hub_blocks(layer: HubNetwork | HubUpperPart) -> Iterator[list[keras.Variable]]:
    stages = layer.stages if isinstance(layer, HubUpperPart) else all_stages(layer.module)
    trained = layer.trainable_variables
    above = frozenset().union(*(stage.used for stage in stages))
    yield [variable for variable in trained if id(variable.value) not in above]
    for stage in stages:
        yield [variable for variable in trained if id(variable.value) in stage.used]


def _keras_blocks(model: keras.Model) -> Iterator[list[keras.Variable]]:
    block: list[keras.Variable] = []
    for number, layer in enumerate(model.layers, start=1):
        block += layer.trainable_variables
        if isinstance(layer, _LAST_LAYERS) and len(crossing_activations(model, number)) == 1:
            yield block
            block = []
    yield block
