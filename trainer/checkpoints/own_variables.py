"""The variables that a subclass of the trainer keeps beside those of every trainer.

A second optimizer, the other network of a GAN, buffers that gradients are summed up in, a threshold
that moves: what is an attribute of the trainer is in its checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from trainer.loop.graph_effects import written_variables
from trainer.loop.trainer import Trainer


def own_variables(trainer: Trainer) -> dict[str, Any]:
    """Variables by their places: "discriminator/3" is the fourth of self.discriminator.

    Found in attributes that are variables, or have variables (layers, models, optimizers, metrics,
    seed generators, TensorFlow's modules), or are lists, tuples or dicts of these.
    """
    common = {id(variable) for variable in common_variables(trainer)}
    named = _named_variables(vars(trainer), "")
    return {name: variable for name, variable in named if id(variable) not in common}


def common_variables(trainer: Trainer) -> list[Any]:
    """Those of the model, the optimizer and the metrics."""
    metrics = (*trainer.train_metrics.variables, *trainer.eval_metrics.variables)
    return [*trainer.model.variables, *trainer.optimizer.variables, *metrics]


def check_all_are_kept(trainer: Trainer, own: Iterable[Any]) -> None:
    """Refuse a training step that writes variables which no checkpoint would hold.

    Args:
        trainer: Its steps are traced.
        own: What `own_variables` found.

    Raises:
        TypeError: it does; naming them.
    """
    everywhere = map(in_tensorflow, (*common_variables(trainer), *own))
    kept = {id(found) for variable in everywhere for found in (variable, *copies(variable))}
    lost = [v for v in written_variables(trainer.traced_train_step) if id(v) not in kept]
    if lost:
        names = ", ".join(variable.name.partition(":")[0] for variable in lost)
        raise TypeError(
            f"{type(trainer).__qualname__}.train_step writes variables that no checkpoint holds"
            f" ({names}); keep them, or the layer or optimizer they are of, as attributes of the"
            " trainer: self.name = …"
        )


def _named_variables(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, tf.Variable | keras.Variable):
            yield f"{prefix}{name}", value
        else:
            yield from _named_variables(_parts(value), f"{prefix}{name}/")


def _parts(value: Any) -> dict[str, Any]:
    """What may be or have variables in a value, by name or number."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list | tuple):
        return {str(number): part for number, part in enumerate(value)}
    if isinstance(value, keras.random.SeedGenerator | tf.random.Generator):
        return {"state": value.state}
    variables = getattr(value, "variables", ())
    return _parts(list(variables)) if isinstance(variables, list | tuple) else {}


def in_tensorflow(variable: Any) -> Any:
    """The variable of TensorFlow's that one of Keras' wraps."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def copies(variable: Any) -> tuple[Any, ...]:
    """Those of a variable on each replica; on one device itself."""
    return variable.values if isinstance(variable, tf.distribute.DistributedValues) else (variable,)
