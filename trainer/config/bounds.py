"""What values an option may have; every refusal names the option as a person writes it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainer.config import conditions, durations
from trainer.core.errors import UserError

if TYPE_CHECKING:
    from trainer.config.config import Config

MOST = sys.float_info.max


def check_optimization(config: Config) -> None:
    """Refuse an optimization that no run can have.

    Raises:
        UserError: naming the option.
    """
    require_between(1, 2**31 - 1, "accumulate", config.accumulate)
    for option in ("learning_rate", "finetune_learning_rate", "weight_decay"):
        require_between(0, MOST, option, getattr(config, option))
    for option in ("momentum", "ema", "label_smoothing"):
        require_below_one(option, getattr(config, option))
    require_above_zero("clip_norm", config.clip_norm)
    require_one_of(("constant", "cosine", "exponential", "piecewise"), "schedule", config.schedule)
    require_one_of(("none", "balanced"), "class_weights", config.class_weights)
    precisions = ("float32", "mixed_bfloat16", "mixed_float16")
    require_one_of(precisions, "precision", config.precision)
    durations.parse("--warmup", config.warmup)
    every = config.checkpoint_every
    if every != "auto" and durations.parse("--checkpoint-every", every).amount == 0:
        raise UserError("--checkpoint-every must be more than 0, 1epoch for example")


def check_stopping(config: Config) -> None:
    """Refuse what no training can stop at.

    Raises:
        UserError: naming the option.
    """
    for option in ("steps_per_epoch", "validation_steps", "patience"):
        require_between(1, 2**31 - 1, option, getattr(config, option))
    require_above_zero("max_minutes", config.max_minutes)
    for target in config.stop_at:
        conditions.parse("--stop-at", target)


def check_augmentation(config: Config) -> None:
    """Refuse an augmentation that no image can have.

    Raises:
        UserError: naming the option.
    """
    require_one_of(("none", "light", "standard", "strong"), "augment", config.augment)
    require_one_of(("none", "horizontal", "vertical", "both"), "flip", config.flip)
    require_one_of(("nearest", "reflect", "constant"), "fill", config.fill)
    require_between(0, 180, "rotation", config.rotation)
    require_between(0, 89, "shear", config.shear)
    require_below_one("zoom", config.zoom)
    for option in ("width_shift", "height_shift", "brightness", "contrast"):
        require_between(0, 1, option, getattr(config, option))
    for option in ("mixup", "cutmix"):
        require_between(0, 1000, option, getattr(config, option))
        if config.augment_copies and getattr(config, option):
            raise UserError(
                f"--augment-copies keeps features, and {flag(option)} mixes images; leave one away"
            )
    require_between(0, 2**31 - 1, "augment_copies", config.augment_copies)
    if config.augment_copies and (not config.uses_extractor or config.extractor_trainable):
        raise UserError(
            "--augment-copies keeps features of a frozen extractor, and there is none; without it"
            " images are varied anew in every epoch"
        )


def require_between(least: float, most: float, option: str, value: float | None) -> None:
    """Refuse what is less or more, or no number; None is no value, as in all that follow."""
    if value is None or least <= value <= most:  # a NaN is in no range
        return
    bound = f"at most {most}" if value > most else f"at least {least}"
    raise UserError(f"{flag(option)} must be {bound}, not {value}")


def require_above_zero(option: str, value: float | None) -> None:
    """Refuse what is not a number above 0."""
    if value is not None and not 0 < value < math.inf:
        raise UserError(f"{flag(option)} must be a number above 0, not {value}")


def require_below_one(option: str, value: float | None) -> None:
    """Refuse what is no share of something that leaves some of it."""
    if value is not None and not 0 <= value < 1:
        raise UserError(f"{flag(option)} must be at least 0 and less than 1, not {value}")


def require_one_of(choices: Sequence[str], option: str, value: str | None) -> None:
    """Refuse what is none of the choices."""
    if value is not None and value not in choices:
        known = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise UserError(f"{flag(option)} must be {known}, not {value}")


def flag(option: str) -> str:
    """An option's name as a person writes it: log_dir is --log-dir."""
    return f"--{option.replace('_', '-')}"
