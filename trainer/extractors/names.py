"""What `--extractor` may say: NAME, keras:NAME, a URL or a folder, each with @ENDPOINT or not."""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path

from trainer.config.transfer import NO_EXTRACTOR
from trainer.core.errors import UserError

KERAS = "keras:"
"""Begins the names of models of keras.applications."""

_IMAGENET = "https://tfhub.dev/google/imagenet"


@dataclasses.dataclass(frozen=True)
class KnownModule:
    """A hub module that `--extractor` knows by name."""

    handle: str
    image_size: int


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
    """An `--extractor` in its parts: a network, and the inner activation to cut it at."""

    network: str
    endpoint: str | None = None

    def __str__(self) -> str:
        """As a person writes it."""
        return self.network if self.endpoint is None else f"{self.network}@{self.endpoint}"

    @property
    def is_keras_model(self) -> bool:
        """Whether it is one of keras.applications."""
        return self.network.startswith(KERAS)

    @property
    def keras_model(self) -> str:
        """Its name in keras.applications."""
        return self.network.removeprefix(KERAS)


def parse_extractor(text: str) -> ExtractorName:
    """The parts of what `--extractor` says; of a folder with an @ in its name, the folder."""
    network, at, endpoint = text.rpartition("@")
    if not at or Path(text).is_dir():
        return ExtractorName(text)
    return ExtractorName(network, endpoint)


def handle_of(network: str) -> str:
    """What tensorflow_hub takes for a network's name: a URL or an existing folder.

    Raises:
        UserError: the name is neither; the nearest known one is told.
    """
    if network in KNOWN_MODULES:
        return KNOWN_MODULES[network].handle
    if "://" in network or Path(network).is_dir():
        return network
    nearest = difflib.get_close_matches(network, KNOWN_MODULES, n=1)
    hint = f"did you mean {nearest[0]}? Known are" if nearest else "known are"
    raise UserError(
        f"--extractor {network}: {hint} {', '.join(KNOWN_MODULES)}, {NO_EXTRACTOR}; else give"
        f" {KERAS}NAME of keras.applications, a hub URL or the folder of a SavedModel"
    )
