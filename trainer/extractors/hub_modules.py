"""Modules of TensorFlow Hub, reached through hub.KerasLayer, as layers of Keras 3."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.extractors.names import KNOWN_MODULES, ExtractorName, handle_of

USUAL_IMAGE_SIZE = 224


class HubNetwork(keras.layers.Layer):
    """A hub module where Keras 3 wants a layer, which refuses hub.KerasLayer itself.

    Learns as the module defines it: with its own batch norm updates and regularisation losses.
    """

    def __init__(self, module: Any, name: ExtractorName, learns: bool) -> None:
        """Take over the variables of a hub.KerasLayer, which stay the module's own."""
        # Modules compute in float32, whatever the policy.
        super().__init__(name="extractor", trainable=learns, dtype="float32")
        self.module, self._endpoint = module, name.endpoint
        learning = {id(variable) for variable in module.trainable_variables}
        self.adopted = [_adopted(v, id(v) in learning) for v in module.variables]

    def call(self, images: tf.Tensor, training: bool = False) -> Any:
        """Images float32 [batch, height, width, 3] in [0, 1] to features."""
        outputs = self.module(images, training=training)
        for loss in self.module.losses:
            self.add_loss(loss)
        return outputs if self._endpoint is None else outputs[self._endpoint]


def load_hub_network(name: ExtractorName, learns: bool) -> HubNetwork:
    """The module of a known name, a hub URL or a local folder.

    URLs are resolved by tensorflow_hub, its cache (TFHUB_CACHE_DIR) included.

    Raises:
        UserError: no such module, it cannot be loaded, or it has no weights that could learn.
    """
    import tensorflow_hub as hub

    arguments = {} if name.endpoint is None else {"return_endpoints": True}
    handle = handle_of(name.network)
    with _naming(name.network, handle):
        module = hub.KerasLayer(handle, trainable=learns, arguments=arguments)
    if learns and not module.trainable_variables:
        raise UserError(
            f"--extractor {name} has no weights that can learn; use --transfer frozen, or another"
        )
    return HubNetwork(module, name, learns)


def hub_image_size(name: ExtractorName, network: HubNetwork) -> int:
    """The side of images that a module was made for, in pixels."""
    return stated_image_size(name) or _signature_image_size(network) or USUAL_IMAGE_SIZE


def stated_image_size(name: ExtractorName) -> int | None:
    """The side of images that a known module was made for; None of any other."""
    known = KNOWN_MODULES.get(name.network)
    return known.image_size if known else None


def require_endpoint(name: ExtractorName, network: HubNetwork, image_size: int) -> None:
    """Look whether a module has the endpoint of a name.

    Raises:
        UserError: it has none, or not this one; those there are are told.
    """
    images = tf.TensorSpec([None, image_size, image_size, 3])
    try:
        outputs = tf.function(network.module, [images]).get_concrete_function().structured_outputs
    except (ValueError, TypeError):
        outputs = None
    if not isinstance(outputs, dict):
        raise UserError(f"--extractor {name}: this module has no endpoints; leave the @ away")
    if name.endpoint not in outputs:
        raise UserError(no_such_endpoint(name, sorted(outputs)))


def no_such_endpoint(name: ExtractorName, endpoints: Sequence[str]) -> str:
    """What a person is told who asks for an endpoint that a network has not."""
    asked = f"has no endpoint {name.endpoint!r}" if name.endpoint else "needs an endpoint"
    return f"--extractor {name}: {name.network} {asked}; there are {', '.join(endpoints)}"


def module_digest(network: str) -> str:
    """SHA-256 of the files that a module's name leads to, without loading them.

    Raises:
        UserError: no such module, or its URL cannot be resolved.
    """
    folder = _resolved(network, handle_of(network))
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _adopted(variable: tf.Variable, trainable: bool) -> keras.Variable:
    """The same variable as Keras 3 counts and trains it, as its own TFSMLayer does."""
    name = variable.name.partition(":")[0].replace("/", "_")
    return keras.Variable(variable, dtype=variable.dtype, trainable=trainable, name=name)


def _resolved(network: str, handle: str) -> Path:
    """The folder of a handle; only a URL takes tensorflow_hub, whose import takes its time."""
    if "://" not in handle:
        return Path(handle)
    import tensorflow_hub as hub

    with _naming(network, handle):
        return Path(hub.resolve(handle))


@contextlib.contextmanager
def _naming(network: str, handle: str) -> Iterator[None]:
    """While a module is fetched or loaded: what fails is told with the option's name."""
    try:
        yield
    except (OSError, ValueError, IndexError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0]
        remedy = (
            "put the module into tensorflow_hub's cache (TFHUB_CACHE_DIR), or use the embedded"
            " efficientnet_lite0"
            if "://" in handle
            else "it must be the folder of a TF2 SavedModel (saved_model.pb)"
        )
        raise UserError(f"--extractor {network} cannot be loaded ({reason}); {remedy}") from error


def _signature_image_size(network: HubNetwork) -> int | None:
    call = network.module.resolved_object.__call__
    sizes = (_image_height(function) for function in getattr(call, "concrete_functions", []))
    return next((size for size in sizes if size), None)


def _image_height(function: Any) -> int | None:
    specs = tf.nest.flatten(function.structured_input_signature)
    images = (spec.shape for spec in specs if isinstance(spec, tf.TensorSpec))
    return next((shape[1] for shape in images if shape.rank == 4 and shape[3] == 3), None)
