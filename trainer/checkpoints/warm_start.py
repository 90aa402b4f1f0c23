"""`--init-from RUN`: a model whose matching layers start from the weights of an earlier run."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trainer.checkpoints.layer_names import layers_by_name, variables_by_name, weights_by_layer
from trainer.checkpoints.store import newest_checkpoint
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder

logger = logging.getLogger(__name__)

LISTED = 8
"""How many layers a message names before it counts the rest."""


class CheckpointReader:
    """The weights in the checkpoint of an earlier run, by the names of its variables."""

    def __init__(self, run: Path) -> None:
        """Open the run's best weights, or its last before there is a best; damage is logged.

        Raises:
            UserError: there are none that can be read.
        """
        folder = RunFolder(run).checkpoints
        checkpoint = newest_checkpoint(folder)
        if checkpoint is None:
            raise UserError(
                f"--init-from {run}: there is no checkpoint in {folder}; choose the folder of an"
                " earlier run, LOG_DIR/<task>/<run>"
            )
        self.run = run
        self._variables = tf.train.load_checkpoint(checkpoint.variables)
        shapes = self._variables.get_variable_to_shape_map()
        group = "best" if checkpoint.training["history"] else "model"
        self._keys = {name: key for key in shapes if (name := _variable_name(key, group))}
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: tuple(shapes[key]) for name, key in self._keys.items()
        }
        """Of each variable of the run's model, the seeds of its dropout among them."""

    def value(self, name: str) -> np.ndarray:
        """The value of a variable."""
        return self._variables.get_tensor(self._keys[name])


def warm_start(model: keras.Model, reader: CheckpointReader, freeze: Collection[str] = ()) -> None:
    """Give every layer that an earlier run has too, by its name and shapes, the run's weights.

    Args:
        model: Built, and without an optimizer. Layers that do not match stay as they are.
        reader: The weights of the earlier run.
        freeze: The names of layers that do not learn any more once they have the run's weights.

    Raises:
        UserError: no layer of the run matches.
    """
    ours, layers = weights_by_layer(model), layers_by_name(model)
    matching = [name for name, weights in ours.items() if _match(weights, reader.shapes)]
    if not matching:
        raise UserError(_nothing_matches(reader, ours))
    for layer in matching:
        for name, variable in ours[layer].items():
            variable.assign(reader.value(name))
        if layer in freeze:
            layers[layer].trainable = False
    assigned = [f"{name} (frozen)" if name in freeze else name for name in matching]
    others = [name for name in ours if name not in matching]
    logger.info(
        "weights: from %s: %s; initialized: %s", reader.run, _listed(assigned), _listed(others)
    )


def load_best_weights(model: keras.Model, reader: CheckpointReader) -> None:
    """Give a model all the weights of the run that it was built for.

    Raises:
        UserError: the model has other variables.
    """
    variables = variables_by_name(model)
    if {name: tuple(v.shape) for name, v in variables.items()} != dict(reader.shapes):
        raise UserError(f"{reader.run} is of another model; load it with the code that trained it")
    for name, variable in variables.items():
        variable.assign(reader.value(name))


def _match(weights: Mapping[str, keras.Variable], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return all(shapes.get(name) == tuple(v.shape) for name, v in weights.items())


def _nothing_matches(reader: CheckpointReader, ours: Collection[str]) -> str:
    theirs = dict.fromkeys(name.rpartition("/")[0] for name in sorted(reader.shapes))
    return (
        f"--init-from {reader.run}: none of its layers ({_listed(theirs)}) is one of this model's"
        f" ({_listed(ours)}) in name and shapes; choose a run of a similar network"
    )


def _listed(names: Collection[str]) -> str:
    shown = list(names)[:LISTED]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") or "none"


def _variable_name(key: str, group: str) -> str | None:
    """The name of a variable of the model in a group of a checkpoint, from TensorFlow's key.

    TensorFlow writes / as .S and . as .. in the names of what a checkpoint holds.
    """
    found = re.fullmatch(rf"{group}/(.+)/\.ATTRIBUTES/VARIABLE_VALUE", key)
    return found and re.sub(r"\.(.)", lambda part: "/" if part[1] == "S" else ".", found[1])
