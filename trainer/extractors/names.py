"""Values of `--extractor`: NAME, keras:NAME, a URL or a folder, each with or without @ENDPOINT."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from trainer.config.transfer import NO_EXTRACTOR
from trainer.core.errors import UserError
from trainer.core.text import did_you_mean

KERAS = "keras:"
"""The prefix of models of keras.applications."""

_IMAGENET = "https://tfhub.dev/google/imagenet"


@dataclasses.dataclass(frozen=True)
class KnownModule:
    """A hub module with a short name."""

    handle: str
    """A hub URL or a folder."""

    image_size: int
    """Height and width in pixels of the images that it was trained on."""


KNOWN_MODULES = {
    "efficientnet_lite0": KnownModule(
        str(Path(__file__).parents[1] / "modules" / "efficientnet_lite0"), 224
    ),
    "efficientnet_v2_b0": KnownModule(
        f"{_IMAGENET}/efficientnet_v2_imagenet1k_b0/feature_vector/2", 224
    ),
    "inception_v3": KnownModule(f"{_IMAGENET}/inception_v3/feature_vector/5", 299),
    "mobilenet_v2": KnownModule(f"{_IMAGENET}/mobilenet_v2_100_224/feature_vector/5", 224),
    "resnet_v2_50": KnownModule(f"{_IMAGENET}/resnet_v2_50/feature_vector/5", 224),
}


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


def parse_extractor(text: str) -> ExtractorName:
    """The parts of a value of `--extractor`; an existing folder is one network, @ or not."""
    network, at, endpoint = text.rpartition("@")
    if not at or Path(text).is_dir():
        return ExtractorName(text)
    return ExtractorName(network, endpoint)


def module_handle(network: str) -> str:
    """The handle of a hub module as tensorflow_hub takes it: a URL or an existing folder.

    Raises:
        UserError: the network is no known name, URL or folder.
    """
    if network in KNOWN_MODULES:
        return KNOWN_MODULES[network].handle
    if "://" in network or Path(network).is_dir():
        return network
    names = [*KNOWN_MODULES, NO_EXTRACTOR]
    raise UserError(
        f"--extractor {network} is unknown: {did_you_mean(network, names)}; or choose"
        f" {KERAS}NAME of keras.applications, a hub URL or the folder of a SavedModel"
    )
