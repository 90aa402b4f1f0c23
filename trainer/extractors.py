"""Networks whose features a head learns from: hub modules, reached through hub.KerasLayer."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.errors import UserError
from trainer.freezing import frozen

NO_EXTRACTOR = "none"
USUAL_IMAGE_SIZE = 224

_IMAGENET = "https://tfhub.dev/google/imagenet"


@dataclasses.dataclass(frozen=True)
class KnownModule:
    """A hub module that `--extractor` knows by name."""

    handle: str
    image_size: int


KNOWN_MODULES = {
    "efficientnet_lite0": KnownModule(
        str(Path(__file__).parent / "modules" / "efficientnet_lite0"), 224
    ),
    "efficientnet_v2_b0": KnownModule(
        f"{_IMAGENET}/efficientnet_v2_imagenet1k_b0/feature_vector/2", 224
    ),
    "inception_v3": KnownModule(f"{_IMAGENET}/inception_v3/feature_vector/5", 299),
    "mobilenet_v2": KnownModule(f"{_IMAGENET}/mobilenet_v2_100_224/feature_vector/5", 224),
    "resnet_v2_50": KnownModule(f"{_IMAGENET}/resnet_v2_50/feature_vector/5", 224),
}


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A frozen network from images to features.

    ```python
    extractor = load_extractor("efficientnet_lite0")
    features = extractor(images)  # [batch, 224, 224, 3] in [0, 1] to [batch, 1280]
    ```
    """

    name: str
    image_size: int
    width: int
    network: Callable[[tf.Tensor], Any]

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Images float32 [batch, image_size, image_size, 3] in [0, 1] to [batch, width]."""
        [features] = tf.nest.flatten(self.network(tf.convert_to_tensor(images)))
        return features


def load_extractor(name: str, image_size: int | None = None) -> Extractor:
    """The module of a known name, a hub URL or a local folder, ready for one size of images.

    URLs are resolved by tensorflow_hub, its cache (TFHUB_CACHE_DIR) included.

    Raises:
        UserError: no such module, it cannot be loaded, or it gives no vector for each image.
    """
    layer = _load_layer(name, handle_of(name))
    size = image_size or stated_image_size(name) or _signature_image_size(layer)
    traced = _traced(name, size, layer)
    return Extractor(name, size, _vector_width(name, traced), frozen(traced))


def stated_image_size(name: str) -> int | None:
    """The side of images that a known module was made for; None of any other."""
    return KNOWN_MODULES[name].image_size if name in KNOWN_MODULES else None


def module_digest(name: str) -> str:
    """SHA-256 of the files that an extractor's name leads to, without loading them.

    Raises:
        UserError: no such module, or its URL cannot be resolved.
    """
    folder = _resolved(name, handle_of(name))
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def handle_of(name: str) -> str:
    """What tensorflow_hub takes for an extractor's name: a URL or an existing folder.

    Raises:
        UserError: the name is neither; the nearest known one is told.
    """
    if name in KNOWN_MODULES:
        return KNOWN_MODULES[name].handle
    if "://" in name or Path(name).is_dir():
        return name
    nearest = difflib.get_close_matches(name, KNOWN_MODULES, n=1)
    hint = f"did you mean {nearest[0]}? Known are" if nearest else "known are"
    raise UserError(
        f"--extractor {name}: {hint} {', '.join(KNOWN_MODULES)}, {NO_EXTRACTOR}; else give a hub"
        " URL or the folder of a SavedModel"
    )


def _resolved(name: str, handle: str) -> Path:
    """The folder of a handle; only a URL takes tensorflow_hub, whose import takes its time."""
    if "://" not in handle:
        return Path(handle)
    import tensorflow_hub as hub

    with _naming(name, handle):
        return Path(hub.resolve(handle))


def _load_layer(name: str, handle: str) -> Any:
    import tensorflow_hub as hub

    with _naming(name, handle):
        return hub.KerasLayer(handle, trainable=False)


@contextlib.contextmanager
def _naming(name: str, handle: str) -> Iterator[None]:
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
        raise UserError(f"--extractor {name} cannot be loaded ({reason}); {remedy}") from error


def _signature_image_size(layer: Any) -> int:
    call = layer.resolved_object.__call__
    for function in getattr(call, "concrete_functions", []):
        height = _image_height(function)
        if height:
            return height
    return USUAL_IMAGE_SIZE


def _image_height(function: Any) -> int | None:
    specs = tf.nest.flatten(function.structured_input_signature)
    images = (spec.shape for spec in specs if isinstance(spec, tf.TensorSpec))
    return next((shape[1] for shape in images if shape.rank == 4 and shape[3] == 3), None)


def _traced(name: str, size: int, layer: Any) -> Any:
    network = tf.function(layer, input_signature=[tf.TensorSpec([None, size, size, 3])])
    try:
        return network.get_concrete_function()
    except (ValueError, TypeError) as error:
        raise UserError(
            f"--extractor {name} takes no float images of {size}x{size}x3;"
            " try another --image-size, or a feature-vector module"
        ) from error


def _vector_width(name: str, traced: Any) -> int:
    features = traced.structured_outputs
    shape = getattr(features, "shape", None)
    if shape is None or shape.rank != 2 or shape[1] is None:
        shown = f"of shape {shape}" if shape is not None else f"a {type(features).__name__}"
        raise UserError(
            f"--extractor {name} gives {shown}, not a vector [batch, width] for each image;"
            " use a feature-vector module"
        )
    return int(shape[1])
