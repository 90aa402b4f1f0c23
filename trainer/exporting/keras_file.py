"""A .keras file, from images to scores, of a network that is all of Keras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from trainer.core.errors import UserError
from trainer.core.text import first_line
from trainer.exporting.served import ServedModel
from trainer.setup.batches import BatchFactory

MODEL = "model.keras"


def write_keras(served: ServedModel, folder: Path) -> None:
    """Write model.keras.

    Raises:
        UserError: a layer, or the way to the scores, is not of Keras.
    """
    layers = [*_layers_below(served), served.network.model]
    foreign = next((layer for one in layers for layer in _foreign_layers(one)), None)
    if foreign is not None:
        kind = type(foreign)
        raise UserError(
            f"--format keras is for networks that are all of Keras, and the layer {foreign.name!r}"
            f" is a {kind.__module__}.{kind.__qualname__}; choose another --format"
        )
    specs = served.input_specs
    inputs = {
        name: keras.Input(spec.shape[1:], name=name, dtype=spec.dtype.name)
        for name, spec in specs.items()
    }
    try:
        model = keras.Model([*inputs.values()], _scores(served, layers, inputs))
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(
            "--format keras needs predictions of the task that are operations of Keras"
            f" ({first_line(error)}); choose another --format"
        ) from error
    model.save(str(folder / MODEL))


def _layers_below(served: ServedModel) -> list[keras.layers.Layer]:
    """The frozen extractor as a layer, where the model takes its features."""
    if served.network.extractor is None:
        return []
    below = BatchFactory(served.run.config, served.run.task.channels).below_features
    assert below is not None
    return [below.layer]


def _scores(
    served: ServedModel, layers: list[keras.layers.Layer], inputs: dict[str, Any]
) -> dict[str, Any]:
    spec = served.network.input_spec
    values: Any = keras.tree.pack_sequence_as(spec, list(inputs.values()))
    for layer in layers:
        values = layer(values)
    return served.named(served.network.scores(values, served.temperatures))


def _foreign_layers(layer: Any) -> Iterator[Any]:
    """The layers within one that a .keras file has not in it: code of others."""
    is_keras = type(layer).__module__.partition(".")[0] == "keras"
    if not is_keras or isinstance(layer, keras.layers.Lambda):
        yield layer
        return
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        yield from _foreign_layers(inner)
