"""A network cut in two at an inner activation: frozen below it, and trained above.

The activations of the frozen part are the same in every epoch, so that they are computed once and
cached as features are. Only the upper part is in the model then.

A Keras model is cut as a graph of layers. A hub module has to offer its upper parts by itself, as
functions of an activation: `from_endpoint["block_10"](activation, training=False)` gives what the
module gives of images. Its variables are those that this function uses.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from trainer.config.transfer import TransferOptions
from trainer.core.errors import UserError
from trainer.extractors.hub_modules import (
    HubNetwork,
    load_hub_network,
    unfreeze_from_message,
)
from trainer.extractors.keras_models import crossing_activations, layer_number
from trainer.extractors.loading import (
    Network,
    extractor_name,
    load_unpooled_layer,
    pooled_layer,
    trace,
)
from trainer.extractors.names import ExtractorName

logger = logging.getLogger(__name__)

UPPER = "upper_extractor"
"""The name of the layer."""


@dataclasses.dataclass(frozen=True)
class CutNetwork:
    """The two parts of a network that `--unfreeze-from` cuts.

    ```python
    cut = cut_network(TransferOptions(transfer="finetune", unfreeze_from="block_14"))
    trunk = load_network(cut.trunk)
    features = cut.upper(trunk.layer(images))  # those of the whole network
    ```
    """

    trunk: TransferOptions
    """Of the frozen part, a network as `load_network` takes it, whose maps are not pooled."""

    upper: keras.layers.Layer
    """From the activation of the frozen part to features; it is trained."""

    def joined(self, trunk: Network) -> Network:
        """Both parts as one network, of which the frozen part, loaded, stays frozen."""
        layer = keras.Sequential([trunk.layer, self.upper], name="joined_extractor")
        size = trunk.image_size
        return Network(trunk.name, size, layer, trace(trunk.name, layer, [size, size, 3]))


@dataclasses.dataclass(frozen=True)
class UpperPart:
    """What a hub module offers behind an endpoint."""

    function: Callable[..., tf.Tensor]
    """From the endpoint's activation, and `training`, to what the module gives of an image."""

    used: frozenset[int]
    """The identities of the variables that it uses."""

    input_shape: list[int | None]
    """Of one example's activation, [height, width, channels]."""


def upper_parts(module: Any) -> dict[str, UpperPart]:
    """The functions of a hub.KerasLayer's module by their endpoints; none where it has none."""
    functions = getattr(module.resolved_object, "from_endpoint", {})
    return {endpoint: _upper_part(functions[endpoint]) for endpoint in functions}


def _upper_part(function: Any) -> UpperPart:
    traced = function.concrete_functions
    used = frozenset(id(variable) for one in traced for variable in one.variables)
    [(activation, *_), _] = traced[0].structured_input_signature
    return UpperPart(function, used, activation.shape.as_list()[1:])


class HubUpperPart(keras.layers.Layer):
    """What a hub module has behind one of its endpoints, as a layer of Keras 3."""

    def __init__(self, network: HubNetwork, endpoint: str, learns_batch_norms: bool) -> None:
        """Take a part of a module that is trainable.

        Args:
            network: As a whole.
            endpoint: Where the part begins.
            learns_batch_norms: Whether training runs it as in training, not as in inference.
        """
        super().__init__(name=UPPER, dtype="float32")
        self.module = network.module  # which keeps the variables
        self.part = upper_parts(self.module)[endpoint]
        self._learns_batch_norms = learns_batch_norms
        self.module_weights = [v for v in network.module_weights if id(v.value) in self.part.used]

    def call(self, activation: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Features of an activation, float32 [batch, height, width, channels]."""
        for loss in self.module.losses:
            self.add_loss(loss)
        return self.part.function(activation, training=training and self._learns_batch_norms)


def cut_network(options: TransferOptions, seed: int = 0) -> CutNetwork | None:
    """The parts of the network of `--extractor`; None where it cannot be cut, which is logged.

    Args:
        options: With `--unfreeze-from`.
        seed: What its weights follow from, where they are random.

    Raises:
        UserError: unknown network, layer or endpoint, or it cannot be loaded or trained.
    """
    name, first = extractor_name(options), str(options.unfreeze_from)
    try:
        part = (_keras_part if name.is_keras_model else _hub_part)(name, first, options, seed)
    except _NotCutError as reason:
        logger.info("--unfreeze-from %s: %s; it runs whole in every step", first, reason)
        return None
    layer = part.layer
    features = trace(str(name), layer, part.input_shape).structured_outputs
    if options.head is None and features.shape.rank == 4:
        layer = pooled_layer(layer, options)
    return CutNetwork(_trunk_options(options, f"{name.network}@{part.endpoint}"), layer)


@dataclasses.dataclass(frozen=True)
class _Upper:
    endpoint: str
    """Where it begins: the activation that it takes."""

    layer: keras.layers.Layer
    input_shape: list[int | None]
    """Of one example's activation."""


class _NotCutError(Exception):
    """Why a network cannot be cut."""


def _keras_part(name: ExtractorName, first: str, options: TransferOptions, seed: int) -> _Upper:
    whole, _ = load_unpooled_layer(name, options, seed, trainable=True)
    model = whole.layers[-1]
    crossing = crossing_activations(model, layer_number(model, name, first))
    if len(crossing) > 1:
        raise _NotCutError(f"{name.network} passes {len(crossing)} activations on there, not one")
    [activation] = crossing
    producer, shape = activation._keras_history.operation, list(activation.shape[1:])
    if isinstance(producer, keras.layers.InputLayer):
        raise _NotCutError("no layer lies below it")
    inputs = keras.Input(shape)
    outputs = keras.Model(activation, model.output, name=model.name)(inputs)
    return _Upper(producer.name, keras.Model(inputs, outputs, name=UPPER), shape)


def _hub_part(name: ExtractorName, first: str, options: TransferOptions, _: int) -> _Upper:
    whole = dataclasses.replace(name, endpoint=None)
    network = load_hub_network(whole, trainable=True)
    parts = upper_parts(network.module)
    if name.endpoint is not None or not parts:
        raise _NotCutError(f"{name} has no function for its upper part alone")
    if first not in parts:
        raise UserError(unfreeze_from_message(name, first, list(parts)))
    layer = HubUpperPart(network, first, options.learns_batch_norms)
    return _Upper(first, layer, layer.part.input_shape)


def _trunk_options(options: TransferOptions, extractor: str) -> TransferOptions:
    """Of the frozen part: the network up to the cut, with its maps as they are."""
    return TransferOptions(
        extractor=extractor,
        transfer="early",
        weights=options.weights,
        head="avg",
        image_size=options.image_size,
    )
