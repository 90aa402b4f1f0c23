"""The optimizer that the options describe: any of keras.optimizers, by its name."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

import keras

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.optimization.schedules import learning_rate

OptimizerClass = type[keras.optimizers.Optimizer]


def make_optimizer(config: Config, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer, and with it what else happens between gradients and weights.

    Gradients are averaged over `--accumulate` steps, then clipped to `--clip-norm`; `--ema` forgets
    by the step, whether the step changed the weights or not.

    Raises:
        UserError: there is no such optimizer, or it would never change a weight.
    """
    check_optimizer(config)
    _require_update(config, steps_per_epoch)
    options: dict[str, Any] = {
        "momentum": config.momentum,
        "weight_decay": config.weight_decay,
        "global_clipnorm": config.clip_norm,
        "gradient_accumulation_steps": config.accumulate if config.accumulate > 1 else None,
        "use_ema": True if config.ema is not None else None,
        "ema_momentum": config.ema,
    }
    given = {name: value for name, value in options.items() if value is not None}
    step_size = learning_rate(config, steps_per_epoch)
    return optimizer_classes()[config.optimizer.lower()](learning_rate=step_size, **given)


def check_optimizer(config: Config) -> None:
    """Refuse, before any data is read, an optimizer that cannot be made.

    Raises:
        UserError: there is none of that name, or it takes no momentum.
    """
    classes, name = optimizer_classes(), config.optimizer.lower()
    if name not in classes:
        nearest = difflib.get_close_matches(name, classes, n=1)
        hint = f"did you mean {nearest[0]}? There are" if nearest else "there are"
        raise UserError(f"--optimizer {config.optimizer} is unknown: {hint} {', '.join(classes)}")
    with_momentum = [name for name, found in classes.items() if "momentum" in _options(found)]
    if config.momentum is not None and name not in with_momentum:
        raise UserError(
            f"--momentum: {config.optimizer} takes none; leave it out, or choose --optimizer"
            f" {' or '.join(with_momentum)}"
        )


def optimizer_classes() -> dict[str, OptimizerClass]:
    """All of keras.optimizers by their names in small letters, but those that wrap others."""
    base = keras.optimizers.Optimizer
    found = {
        name.lower(): value
        for name, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    }
    return {name: value for name, value in found.items() if "learning_rate" in _options(value)}


def _options(optimizer_class: OptimizerClass) -> set[str]:
    return set(inspect.signature(optimizer_class).parameters)


def _require_update(config: Config, steps_per_epoch: int) -> None:
    steps = config.epochs * steps_per_epoch
    if config.accumulate > steps:
        raise UserError(
            f"--accumulate {config.accumulate} is more steps than the training has ({steps}), so"
            " that no weight would ever change; give less, or more --epochs"
        )
