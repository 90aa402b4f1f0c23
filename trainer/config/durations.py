"""Durations in steps, epochs, examples or percent: 200steps, 2epochs, 1000examples, 5%."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from trainer.core.errors import UserError

# Twelve digits are more steps or examples than any training has, and exact as a float.
_WHOLE = re.compile(r"([0-9]{1,12}) ?(step|example)s?")
_FRACTION = re.compile(r"([0-9]{1,12}|[0-9]{0,12}\.[0-9]{1,12}) ?(epochs?|%)")


class Duration(NamedTuple):
    """An amount of training in the unit that it was given in."""

    amount: float
    """Not negative; a whole number of steps and examples, at most 100 percent."""

    unit: str
    """step, example, epoch, or % of the whole training."""


def parse(option: str, text: str) -> Duration:
    """The duration that a text states: "200steps", "1 epoch", "2.5%", or "0" without a unit.

    Args:
        option: The option as it is typed, "--warmup".
        text: Its value.

    Raises:
        UserError: the text states no duration; naming the option.
    """
    if text == "0":
        return Duration(0.0, "step")
    form = _WHOLE.fullmatch(text) or _FRACTION.fullmatch(text)
    if form is None:
        raise UserError(
            f"{option} must be a duration like 200steps, 2epochs, 1000examples or 5%, not {text}"
        )
    amount, unit = float(form[1]), form[2].removesuffix("s")
    if unit == "%" and amount > 100:
        raise UserError(f"{option} must be at most 100%, the whole training, not {text}")
    return Duration(amount, unit)


def steps(
    option: str, duration: str, *, steps_per_epoch: int, total_steps: int, batch_size: int
) -> int:
    """A duration in steps, rounded to the nearest number; at least 1, unless the duration is 0.

    Args:
        option: The option as it is typed, "--warmup".
        duration: Its value.
        steps_per_epoch: Steps in an epoch.
        total_steps: Steps of the whole training, of which a percentage is a part.
        batch_size: Examples in a step.

    Raises:
        UserError: the text states no duration; naming the option.
    """
    amount, unit = parse(option, duration)
    in_steps = {
        "step": amount,
        "example": amount / batch_size,
        "epoch": amount * steps_per_epoch,
        "%": amount * total_steps / 100,
    }
    if amount == 0:
        return 0
    return max(1, math.floor(in_steps[unit] + 0.5))
