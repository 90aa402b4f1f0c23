"""How long something takes, in the unit a person thinks in: 200steps, 2epochs, 1000examples, 5%."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from trainer.core.errors import UserError

# Twelve digits are more than any training has of anything, and exact as a float.
_WHOLE = re.compile(r"([0-9]{1,12}) ?(step|example)s?")
_FRACTION = re.compile(r"([0-9]{1,12}|[0-9]{0,12}\.[0-9]{1,12}) ?(epochs?|%)")


class Duration(NamedTuple):
    """An amount of training, before it is known how many steps an epoch has."""

    amount: float
    """Not negative; a whole number of steps and examples, at most 100 percent."""

    unit: str
    """step, example, epoch, or % of the whole training."""


def parse(option: str, text: str) -> Duration:
    """The duration that a person wrote: "200steps", "1 epoch", "2.5%", or "0" of anything.

    Args:
        option: What it was given to, "--warmup".
        text: What was given.

    Raises:
        UserError: it is no duration; naming the option.
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
    """How many steps the duration that an option was given is: the nearest number.

    At least 1, unless the duration is 0.

    Raises:
        UserError: it is no duration; naming the option.
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
