"""A network cut in two at an inner activation: frozen below it, and trained above.

The activations of the frozen part are the same in every epoch, so that they are computed once and
cached as features are. Only the upper part is in the model then.

A Keras model is cut as a graph of layers. A hub module has to offer its stages by itself, as
functions of the activation at an endpoint: `from_endpoint["block_10"](activation, training=False)`
gives the activation at a later endpoint by its name, `{"block_11": …}`, or in the end the features,
`{"default": …}`. The variables of a stage are those that its function uses.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
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
from trainer.extractors.names import ExtractorName, parse_extractor

logger = logging.getLogger(__name__)

UPPER = "upper_extractor"
"""The name of the layer."""

FEATURES = "default"
"""The endpoint of the features, as modules of TensorFlow Hub name it."""


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
class Stage:
    """What a hub module has between one of its endpoints and a later one."""

    function: Callable[..., Mapping[str, tf.Tensor]]
    """From the activation at the first, and `training`, to that at the second by its name."""

    used: frozenset[int]
    """The identities of the variables that it uses."""

    input_shape: list[int | None]
    """Of one example's activation, [height, width, channels]."""

    end: str
    """The name of the second."""


def stages_from(module: Any, endpoint: str) -> list[Stage]:
    """The stages of a hub.KerasLayer's module from an endpoint up to its features."""
    functions, stages = stage_functions(module), list[Stage]()
    while endpoint != FEATURES:
        stages.append(_stage(functions[endpoint]))
        endpoint = stages[-1].end
    return stages


def all_stages(module: Any) -> list[Stage]:
    """Those from the lowest endpoint on; none where the module offers none."""
    from_each = [stages_from(module, endpoint) for endpoint in stage_functions(module)]
    return max(from_each, key=len, default=[])


def stage_functions(module: Any) -> Mapping[str, Any]:
    """What the module of a hub.KerasLayer offers, by the endpoints where stages begin."""
    return getattr(module.resolved_object, "from_endpoint", {})


def _stage(function: Any) -> Stage:
    traced = function.concrete_functions
    used = frozenset(id(variable) for one in traced for variable in one.variables)
    [(activation, *_), _] = traced[0].structured_input_signature
    [end] = traced[0].structured_outputs
    return Stage(function, used, activation.shape.as_list()[1:], end)


def variables_below(network: Network) -> Sequence[tf.Variable]:
    """The variables of a network without those that a hub module has above its endpoint.

    A hub module that gives an endpoint still holds all of its variables. Which of them belong to
    the part above it only the modules say that offer their stages; of others it is all of them.
    """
    layers = network.layer._flatten_layers()
    hub = next((layer for layer in layers if isinstance(layer, HubNetwork)), None)
    endpoint = parse_extractor(network.name).endpoint
    if hub is None or endpoint is None or endpoint not in stage_functions(hub.module):
        return network.traced.variables
    above = frozenset().union(*(stage.used for stage in stages_from(hub.module, endpoint)))
    return [variable for variable in network.traced.variables if id(variable) not in above]


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
        self.stages = stages_from(self.module, endpoint)
        self._learns_batch_norms = learns_batch_norms
        used = frozenset().union(*(stage.used for stage in self.stages))
        self.module_weights = [v for v in network.module_weights if id(v.value) in used]

    def call(self, activation: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Features of an activation, float32 [batch, height, width, channels]."""
        for loss in self.module.losses:
            self.add_loss(loss)
        for stage in self.stages:
            outputs = stage.function(activation, training=training and self._learns_batch_norms)
            activation = outputs[stage.end]
        return activation


def cut_network(options: TransferOptions, seed: int = 0) -> CutNetwork | None:
    """The parts of the network of `--extractor`; None where it cannot be cut, which is logged.

    Args:
        options: With `--unfreeze-from`.
        seed: What its weights follow from, where they are random.

    Raises:
        UserError: unknown network, layer or endpoint, or it cannot be loaded or trained.
    """
    name, first = extractor_name(options), str(options.trained_from)
    try:
        part = (_keras_part if name.has_layers else _hub_part)(name, first, options, seed)
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
    starts = stage_functions(network.module)
    if name.endpoint is not None or not starts:
        raise _NotCutError(f"{name} has no functions of its stages")
    if first not in starts:
        raise UserError(unfreeze_from_message(name, first, list(starts)))
    layer = HubUpperPart(network, first, options.learns_batch_norms)
    return _Upper(first, layer, layer.stages[0].input_shape)


def _trunk_options(options: TransferOptions, extractor: str) -> TransferOptions:
    """Of the frozen part: the network up to the cut, with its maps as they are."""
    return TransferOptions(
        extractor=extractor,
        transfer="early",
        weights=options.weights,
        head="avg",
        image_size=options.image_size,
    )
