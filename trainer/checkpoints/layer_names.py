"""Names for the layers of a model that every process gives alike.

Keras counts up the layers that it names itself over all models of a process: dense, dense_1 … Here
they are counted in their model alone, and a model within the model that Keras named (sequential,
functional) adds nothing to the names of its layers: a head has the same names alone and on top of
an extractor.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

import keras

Thing = TypeVar("Thing")


def variables_by_name(model: keras.Model) -> dict[str, keras.Variable]:
    """All variables of a model, "hidden_1/kernel" say, the seeds of its dropout among them."""
    named = {
        f"{layer_name}/{name}": variable
        for layer_name, layer in layers_by_name(model).items()
        for name, variable in _numbered((v.name, v) for v in layer.variables).items()
    }
    taken = {id(variable) for variable in named.values()}
    loose = ((v.name, v) for v in model.variables if id(v) not in taken)
    return {**named, **_numbered(loose)}


def weights_by_layer(model: keras.Model) -> dict[str, dict[str, keras.Variable]]:
    """Of each layer by its name, its weights by theirs: {"hidden_1": {"hidden_1/kernel": …}}."""
    weights = {id(weight) for weight in model.weights}
    by_layer: dict[str, dict[str, keras.Variable]] = {}
    for name, variable in variables_by_name(model).items():
        if id(variable) in weights:
            by_layer.setdefault(name.rpartition("/")[0], {})[name] = variable
    return by_layer


def layers_by_name(model: keras.Model) -> dict[str, keras.Layer]:
    """The layers of a model, and of models within it, that have variables: "hidden_1" say."""
    found = {id(layer): (name, layer) for name, layer in _layers(model, "")}
    return _numbered((name, layer) for name, layer in found.values() if layer.variables)


def _layers(model: keras.Model, prefix: str) -> Iterator[tuple[str, keras.Layer]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            inner = "" if _named_by_keras(layer) else f"{layer.name}/"
            yield from _layers(layer, prefix + inner)
        else:
            kind = _kind(layer) if _named_by_keras(layer) else layer.name
            yield prefix + kind, layer


def _named_by_keras(layer: keras.Layer) -> bool:
    return _kind(layer).replace("_", "") == type(layer).__name__.lower()


def _kind(layer: keras.Layer) -> str:
    """The layer's name without a number: its class, where Keras named it."""
    return re.sub(r"_\d+$", "", layer.name)


def _numbered(named: Iterable[tuple[str, Thing]]) -> dict[str, Thing]:
    """By name: the second of a name is called name_1, the third name_2."""
    numbered: dict[str, Thing] = {}
    count: Counter[str] = Counter()
    for name, thing in named:
        unique = name
        while unique in numbered:
            count[name] += 1
            unique = f"{name}_{count[name]}"
        numbered[unique] = thing
    return numbered
