"""TensorFlow Hub modules as layers of Keras 3, by way of hub.KerasLayer."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.extractors.module_sources import load_module
from trainer.extractors.names import KNOWN_MODULES, ExtractorName

DEFAULT_IMAGE_SIZE = 224

_INITIALLY_ONE = re.compile(r"(gamma|scale|weight|var|variance)(_\d+)?$")
"""Names of the vectors by which a norm multiplies or divides; all other vectors are added."""


class HubNetwork(keras.layers.Layer):
    """A hub module as a layer of Keras 3, which does not accept hub.KerasLayer.

    Trained as the module defines it, with its own regularisation losses.
    """

    def __init__(
        self, module: Any, name: ExtractorName, trainable: bool, learns_batch_norms: bool
    ) -> None:
        """Wrap a hub.KerasLayer, whose variables become weights of this layer.

        Args:
            module: Any.
            name: With the endpoint that it gives.
            trainable: Whether training changes its weights.
            learns_batch_norms: Whether it runs as in training then, with its own batch norm updates
                and dropout; otherwise as in inference.
        """
        # Modules compute in float32, whatever the dtype policy.
        super().__init__(name="extractor", trainable=trainable, dtype="float32")
        self.module, self._endpoint = module, name.endpoint
        self._learns_batch_norms = learns_batch_norms
        trained = {id(variable) for variable in module.trainable_variables}
        self.module_weights = [keras_variable(v, id(v) in trained) for v in module.variables]

    def call(self, images: tf.Tensor, training: bool = False) -> Any:
        """Features of images, float32 [batch, height, width, 3] in [0, 1]."""
        outputs = self.module(images, training=training and self._learns_batch_norms)
        for loss in self.module.losses if self.trainable else []:
            self.add_loss(loss)
        return outputs if self._endpoint is None else outputs[self._endpoint]

    def endpoints(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """The inner activations that the module gives by name; none where it has no endpoints."""
        try:
            found = self.module.resolved_object(images, training=False, return_endpoints=True)
        except (TypeError, ValueError):  # it takes no such argument
            return {}
        return found if isinstance(found, dict) else {}


def load_hub_network(
    name: ExtractorName, trainable: bool, learns_batch_norms: bool = False
) -> HubNetwork:
    """The module of a known name, a hub URL, a handle on Kaggle or a local folder.

    Args:
        name: With the endpoint that is wanted.
        trainable: Whether training changes its weights.
        learns_batch_norms: Whether it runs as in training then.

    Raises:
        UserError: no such module, it cannot be loaded, or it has no weights to train.
    """
    arguments = {} if name.endpoint is None else {"return_endpoints": True}
    module = load_module(name.network, trainable=trainable, arguments=arguments)
    if trainable and not module.trainable_variables:
        raise UserError(
            f"--extractor {name} has no trainable weights; choose --transfer frozen, or another"
            " extractor"
        )
    return HubNetwork(module, name, trainable, learns_batch_norms)


def hub_image_size(name: ExtractorName, network: HubNetwork) -> int:
    """Height and width in pixels of the images that a module was trained on."""
    return known_image_size(name) or _signature_image_size(network) or DEFAULT_IMAGE_SIZE


def known_image_size(name: ExtractorName) -> int | None:
    """Height and width in pixels of the images of a known module; None for any other."""
    known = KNOWN_MODULES.get(name.network)
    return known.image_size if known else None


def check_endpoint(name: ExtractorName, network: HubNetwork, image_size: int) -> None:
    """Check that a module has the endpoint of its name.

    Raises:
        UserError: it has no endpoints, or not this one.
    """
    endpoints = _endpoints(network, image_size)
    if not endpoints:
        raise UserError(f"--extractor {name}: this module has no endpoints; omit @{name.endpoint}")
    if name.endpoint not in endpoints:
        raise UserError(unknown_endpoint_message(name, sorted(endpoints)))


def freeze_below_endpoint(
    network: HubNetwork, name: ExtractorName, endpoint: str, image_size: int
) -> None:
    """Make the weights of a module that an endpoint depends on untrainable.

    A module does not say which these are. They are those by which the endpoint has a gradient.

    Args:
        network: Trainable.
        name: Its name, for the message.
        endpoint: The last activation whose weights stay as they are.
        image_size: Height and width of the images in pixels.

    Raises:
        UserError: there is no such endpoint.
    """
    images = tf.random.stateless_uniform([1, image_size, image_size, 3], seed=[0, 0])
    trained = [weight for weight in network.module_weights if weight.trainable]
    with tf.GradientTape() as tape:
        activations = network.endpoints(images)
        if endpoint not in activations:
            raise UserError(unfreeze_from_message(name, endpoint, sorted(activations)))
        total = tf.reduce_sum(activations[endpoint])
    gradients = tape.gradient(total, [weight.value for weight in trained])
    for weight, gradient in zip(trained, gradients, strict=True):
        if gradient is not None and tf.reduce_any(gradient != 0):
            weight.trainable = False


def unfreeze_from_message(name: ExtractorName, endpoint: str, endpoints: Sequence[str]) -> str:
    """The error for an endpoint of `--unfreeze-from` that a module does not have."""
    if not endpoints:
        return f"--unfreeze-from {endpoint}: {name.network} has no endpoints; omit it"
    found = ", ".join(endpoints)
    return f"--unfreeze-from: {name.network} has no endpoint {endpoint!r}; there are {found}"


def feature_map_endpoints(name: ExtractorName, image_size: int) -> list[str]:
    """The endpoints at which a module gives feature maps; it is loaded once more, with them.

    Raises:
        UserError: it cannot be loaded.
    """
    network = load_hub_network(dataclasses.replace(name, endpoint=""), trainable=False)
    outputs = _endpoints(network, image_size).items()
    maps = (endpoint for endpoint, output in outputs if output.shape.rank == 4)
    return sorted(maps, key=lambda endpoint: (len(endpoint), endpoint))  # block_9, block_10


def _endpoints(network: HubNetwork, image_size: int) -> dict[str, Any]:
    """What a module loaded with `return_endpoints` gives by the names; nothing if it has none."""
    images = tf.TensorSpec([None, image_size, image_size, 3])
    try:
        outputs = tf.function(network.module, [images]).get_concrete_function().structured_outputs
    except (ValueError, TypeError):
        return {}
    return outputs if isinstance(outputs, dict) else {}


def unknown_endpoint_message(name: ExtractorName, endpoints: Sequence[str]) -> str:
    """The error for an endpoint that a network does not have, with those that it has."""
    problem = f"has no endpoint {name.endpoint!r}" if name.endpoint else "needs an endpoint"
    return f"--extractor {name}: {name.network} {problem}; there are {', '.join(endpoints)}"


def randomise_weights(variables: Iterable[keras.Variable], seed: int) -> None:
    """Replace a module's weights by random ones, as before any training.

    Kernels are drawn as in arXiv 1502.01852; norms become identities and biases 0. A module does
    not keep its initial values, so the role of a variable is inferred from its shape and name.
    """
    for number, variable in enumerate(variables):
        if variable.ndim > 1:
            variable.assign(_random_kernel(variable, seed + number))
        else:
            one = _INITIALLY_ONE.search(variable.name)
            variable.assign(tf.ones(variable.shape) if one else tf.zeros(variable.shape))


def _random_kernel(variable: keras.Variable, seed: int) -> tf.Tensor:
    initializer = keras.initializers.HeNormal(seed)
    if "depthwise" not in variable.name:
        return initializer(variable.shape)
    # Each channel is convolved by itself, so its fan-in is that of one channel.
    height, width, channels, multiplier = variable.shape
    return tf.reshape(initializer([height, width, 1, channels * multiplier]), variable.shape)


def keras_variable(variable: tf.Variable, trainable: bool) -> keras.Variable:
    """The same variable as Keras 3 lists and trains it; its own TFSMLayer does it this way."""
    name = variable.name.partition(":")[0].replace("/", "_")
    return keras.Variable(variable, dtype=variable.dtype, trainable=trainable, name=name)


def _signature_image_size(network: HubNetwork) -> int | None:
    call = network.module.resolved_object.__call__
    sizes = (_image_height(function) for function in getattr(call, "concrete_functions", []))
    return next((size for size in sizes if size), None)


def _image_height(function: Any) -> int | None:
    specs = tf.nest.flatten(function.structured_input_signature)
    images = (spec.shape for spec in specs if isinstance(spec, tf.TensorSpec))
    return next((shape[1] for shape in images if shape.rank == 4 and shape[3] == 3), None)
