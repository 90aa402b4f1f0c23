"""`--init-from RUN`: the layers of a model that match those of an earlier run begin with theirs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trainer.checkpoints.layer_names import layers_by_name, weights_by_layer
from trainer.checkpoints.store import newest_checkpoint
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder

LISTED = 8
"""How many layers a message names before it counts the rest."""


class CheckpointReader:
    """The weights in the checkpoint of an earlier run, by the names of its variables."""

    def __init__(self, run: Path, say: Callable[[str], None]) -> None:
        """Open the run's best weights, or its last before there is a best; damage is told.

        Raises:
            UserError: there are none that can be read.
        """
        folder = RunFolder(run).checkpoints
        checkpoint = newest_checkpoint(folder, say)
        if checkpoint is None:
            raise UserError(
                f"--init-from {run}: there is no checkpoint in {folder}; give the folder of an"
                " earlier run, LOG_DIR/<task>/<run>"
            )
        self._variables = tf.train.load_checkpoint(checkpoint.variables)
        shapes = self._variables.get_variable_to_shape_map()
        of = "best" if checkpoint.training["history"] else "model"
        self._keys = {name: key for key in shapes if (name := _variable_name(key, of))}
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: tuple(shapes[key]) for name, key in self._keys.items()
        }
        """Of each variable of the run's model, the seeds of its dropout among them."""

    def value(self, name: str) -> np.ndarray:
        """What a variable was."""
        return self._variables.get_tensor(self._keys[name])


def warm_start(
    model: keras.Model,
    run: Path,
    say: Callable[[str], None],
    freeze_on_init: Collection[str] = (),
) -> None:
    """Give every layer that an earlier run has too, by its name and shapes, the run's weights.

    Args:
        model: Built, and not yet known to an optimizer. Layers that do not match stay as they are.
        run: The folder of the earlier run.
        say: Is told which layers were taken and which were left.
        freeze_on_init: The names of layers that learn no more once they have been given theirs.

    Raises:
        UserError: the run has no checkpoint that can be read, or no layer of it matches.
    """
    kept, ours, layers = CheckpointReader(run, say), weights_by_layer(model), layers_by_name(model)
    taken = [name for name, weights in ours.items() if _match(weights, kept.shapes)]
    if not taken:
        raise UserError(_nothing_matches(run, kept.shapes, ours))
    for layer in taken:
        for name, variable in ours[layer].items():
            variable.assign(kept.value(name))
        if layer in freeze_on_init:
            layers[layer].trainable = False
    told = [f"{name} (frozen)" if name in freeze_on_init else name for name in taken]
    left = [name for name in ours if name not in taken]
    say(f"weights: taken from {run}: {_listed(told)}; left: {_listed(left)}")


def _match(weights: Mapping[str, keras.Variable], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return all(shapes.get(name) == tuple(v.shape) for name, v in weights.items())


def _nothing_matches(run: Path, theirs: Collection[str], ours: Collection[str]) -> str:
    of_the_run = dict.fromkeys(name.rpartition("/")[0] for name in sorted(theirs))
    return (
        f"--init-from {run}: none of its layers ({_listed(of_the_run)}) is one of this model's"
        f" ({_listed(ours)}) in name and shapes; give a run of a network like it"
    )


def _listed(names: Collection[str]) -> str:
    shown = list(names)[:LISTED]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") or "none"


def _variable_name(key: str, of: str) -> str | None:
    """The name by which a checkpoint has a variable of the model, out of TensorFlow's key.

    TensorFlow writes / as .S and . as .. in the names of what a checkpoint holds.
    """
    found = re.fullmatch(rf"{of}/(.+)/\.ATTRIBUTES/VARIABLE_VALUE", key)
    return found and re.sub(r"\.(.)", lambda part: "/" if part[1] == "S" else ".", found[1])
