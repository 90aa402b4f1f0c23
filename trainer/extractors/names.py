"""Values of `--extractor`: NAME, keras:NAME, kaggle:HANDLE, a URL …, with or without @ENDPOINT."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from trainer.config.transfer import NO_EXTRACTOR
from trainer.core.errors import UserError
from trainer.core.text import did_you_mean

KERAS = "keras:"
"""The prefix of models of keras.applications."""

KAGGLE = "kaggle:"
"""The prefix of modules by their handle on Kaggle."""

KERASHUB = "kerashub:"
"""The prefix of presets of KerasHub."""

EMBEDDED = str(Path(__file__).parents[1] / "modules" / "efficientnet_lite0")
"""The folder of the module in this package."""

_KAGGLE_URL = "https://www.kaggle.com/models/google"
_TFHUB_URL = "https://tfhub.dev/google/imagenet"  # which sends to Kaggle's since 2023


@dataclasses.dataclass(frozen=True)
class KnownModule:
    """A hub module with a short name."""

    image_size: int
    """Height and width in pixels of the images that it was trained on."""

    handles: tuple[str, ...]
    """A folder, or the URLs to try one after the other; none if it is built from weights."""


KNOWN_MODULES = {
    "efficientnet_lite0": KnownModule(224, (EMBEDDED,)),
    "efficientnet_lite2": KnownModule(260, ()),
    "efficientnet_v2_b0": KnownModule(
        224,
        (
            f"{_KAGGLE_URL}/efficientnet-v2/TensorFlow2/imagenet1k-b0-feature-vector/2",
            f"{_TFHUB_URL}/efficientnet_v2_imagenet1k_b0/feature_vector/2",
        ),
    ),
    "inception_v3": KnownModule(
        299,
        (
            f"{_KAGGLE_URL}/inception-v3/TensorFlow2/feature-vector/2",
            f"{_TFHUB_URL}/inception_v3/feature_vector/5",
        ),
    ),
    "mobilenet_v2": KnownModule(
        224,
        (
            f"{_KAGGLE_URL}/mobilenet-v2/TensorFlow2/100-224-feature-vector/2",
            f"{_TFHUB_URL}/mobilenet_v2_100_224/feature_vector/5",
        ),
    ),
    "resnet_v2_50": KnownModule(
        224,
        (
            f"{_KAGGLE_URL}/resnet-v2/TensorFlow2/50-feature-vector/2",
            f"{_TFHUB_URL}/resnet_v2_50/feature_vector/5",
        ),
    ),
}
"""Kaggle numbers the versions for TensorFlow 2 anew: its 2 is what tfhub.dev had as 5."""


@dataclasses.dataclass(frozen=True)
class ExtractorName:
    """The parts of an `--extractor`: a network, and the inner activation at which it is cut."""

    network: str
    endpoint: str | None = None

    def __str__(self) -> str:
        """As it is typed."""
        return self.network if self.endpoint is None else f"{self.network}@{self.endpoint}"

    @property
    def is_keras_model(self) -> bool:
        """Whether the network is a model of keras.applications."""
        return self.network.startswith(KERAS)

    @property
    def keras_model(self) -> str:
        """The model's name in keras.applications."""
        return self.network.removeprefix(KERAS)

    @property
    def has_layers(self) -> bool:
        """Whether the network is a model of Keras, whose layers are known."""
        return self.is_keras_model or self.is_kerashub_preset

    @property
    def is_kerashub_preset(self) -> bool:
        """Whether the network is a preset of KerasHub."""
        return self.network.startswith(KERASHUB)

    @property
    def preset(self) -> str:
        """The preset as KerasHub takes it: a name, a folder, or an address."""
        return self.network.removeprefix(KERASHUB)


def parse_extractor(text: str) -> ExtractorName:
    """The parts of a value of `--extractor`; an existing folder is one network, @ or not."""
    network, at, endpoint = text.rpartition("@")
    if not at or Path(text.removeprefix(KERASHUB)).is_dir():
        return ExtractorName(text)
    return ExtractorName(network, endpoint)


def module_handles(network: str) -> tuple[str, ...]:
    """Where a hub module is: a folder, or the URLs to try; none if it is built from weights.

    Raises:
        UserError: the network is no known name, URL or folder.
    """
    if network in KNOWN_MODULES:
        return KNOWN_MODULES[network].handles
    if "://" in network or Path(network).is_dir():
        return (network,)
    names = [*KNOWN_MODULES, NO_EXTRACTOR]
    raise UserError(
        f"--extractor {network}: {did_you_mean(network, names)}; or choose"
        f" {KERAS}NAME of keras.applications, {KERASHUB}PRESET, a hub URL,"
        f" {KAGGLE}OWNER/MODEL/tensorFlow2/VARIATION or the folder of a SavedModel"
    )
