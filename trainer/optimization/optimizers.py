"""The optimizer of the options: any of keras.optimizers, by its name."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.config.config import Config
from trainer.config.optimization import OptimizationOptions
from trainer.core.errors import UserError
from trainer.core.text import did_you_mean
from trainer.optimization.schedules import make_learning_rate

OptimizerClass = type[keras.optimizers.Optimizer]


def make_optimizer(config: Config, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer of a run, with its schedule, accumulation, clipping and averages.

    Gradients are averaged over `--accumulate` steps, then clipped to `--clip-norm`. The averages of
    `--ema` are updated in every step, whether it changes the weights or only accumulates.

    Raises:
        UserError: there is no such optimizer, it has no momentum, or no weight would ever change.
    """
    optimizer = optimizer_class(config)
    _check_accumulation(config, steps_per_epoch)
    options: dict[str, Any] = {
        "momentum": config.momentum,
        "weight_decay": config.weight_decay,
        "global_clipnorm": config.clip_norm,
        "gradient_accumulation_steps": config.accumulate if config.accumulate > 1 else None,
        "use_ema": True if config.ema is not None else None,
        "ema_momentum": config.ema,
    }
    given = {name: value for name, value in options.items() if value is not None}
    learning_rate = make_learning_rate(config, steps_per_epoch)
    return optimizer(learning_rate=learning_rate, **given)


def optimizer_class(options: OptimizationOptions) -> OptimizerClass:
    """The class of `--optimizer`.

    Raises:
        UserError: there is none of that name, or it does not take the `--momentum` given.
    """
    classes, name = optimizer_classes(), options.optimizer.lower()
    if name not in classes:
        raise UserError(
            f"--optimizer {options.optimizer} is unknown: {did_you_mean(name, classes)}"
        )
    with_momentum = [name for name, found in classes.items() if "momentum" in _arguments(found)]
    if options.momentum is not None and name not in with_momentum:
        raise UserError(
            f"--momentum: {options.optimizer} has none; omit it, or choose --optimizer"
            f" {' or '.join(with_momentum)}"
        )
    return classes[name]


def optimizer_classes() -> dict[str, OptimizerClass]:
    """The optimizers of keras.optimizers by their names in lower case, without wrappers."""
    base = keras.optimizers.Optimizer
    found = {
        name.lower(): value
        for name, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }
    return {name: value for name, value in found.items() if "learning_rate" in _arguments(value)}


def _arguments(optimizer: OptimizerClass) -> set[str]:
    return set(inspect.signature(optimizer).parameters)


def _check_accumulation(options: OptimizationOptions, steps_per_epoch: int) -> None:
    steps = options.epochs * steps_per_epoch
    if options.accumulate > steps:
        raise UserError(
            f"--accumulate {options.accumulate} is more steps than the training has ({steps}), so"
            " that no weight would ever change; lower it, or raise --epochs"
        )


def dense(gradients: Sequence[tf.Tensor | tf.IndexedSlices | None]) -> list[tf.Tensor | None]:
    """Gradients with one row for each row of the variable; None stays.

    The gradient of an embedding has a row for each word of the batch. Where a word comes twice,
    Keras' Adam squares its rows one by one instead of their sum.
    """
    return [None if each is None else tf.convert_to_tensor(each) for each in gradients]
