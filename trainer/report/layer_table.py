"""The layers of a model: their output shapes and parameters."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence

import keras
import tensorflow as tf

from trainer.extractors.cutting import variables_below
from trainer.extractors.loading import Network

Row = dict[str, str]


def layer_table(model: keras.Model, below: Network | None = None) -> dict[str, Row]:
    """A row a layer, by its name: its output shape, its trainable and its frozen parameters.

    The layers of a Sequential within the model have rows of their own; any other model in it, a
    whole application of Keras say, has one. Last comes the sum of all.

    Args:
        model: With its weights.
        below: The frozen network whose features the model takes, where it is not part of it.
    """
    below_weights = [] if below is None else variables_below(below)
    rows = {} if below is None else {below.name: _row(below.shape, [], below_weights)}
    for name, layer in _layers(model):
        weights = layer.trainable_weights, layer.non_trainable_weights
        rows[f"{name} ({type(layer).__name__})"] = _row(_output_shape(layer), *weights)
    frozen = [*below_weights, *model.non_trainable_weights]
    return {**rows, "in all": _row((), model.trainable_weights, frozen)}


def _layers(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    for layer in model.layers:
        if isinstance(layer, keras.Sequential):
            yield from _layers(layer, f"{prefix}{layer.name}/")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer


def _row(
    shape: Sequence[int | None],
    trainable: Iterable[tf.Variable | keras.Variable],
    frozen: Iterable[tf.Variable | keras.Variable],
) -> Row:
    return {
        "output": " x ".join(str(side) for side in shape),
        "trainable": f"{_parameters(trainable):,}",
        "frozen": f"{_parameters(frozen):,}",
    }


def _output_shape(layer: keras.layers.Layer) -> Sequence[int | None]:
    """The shape of one example; () where the layer has no symbolic output, or several."""
    with contextlib.suppress(AttributeError, ValueError):
        return layer.output.shape[1:]
    return ()


def _parameters(weights: Iterable[tf.Variable | keras.Variable]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
