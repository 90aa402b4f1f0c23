"""What training may stop at: a metric, and the bound that it has to reach."""

from __future__ import annotations

import re
from typing import NamedTuple

from trainer.core.errors import UserError

_FORM = re.compile(
    r"((?P<split>train|validation)/)?(?P<metric>[\w-]+) *(?P<comparison>>=|>|<=|<)"
    r" *(?P<bound>-?\d*\.?\d+(e-?\d+)?)"
)


class Condition(NamedTuple):
    """A bound on a metric: "validation/accuracy>=0.9"."""

    text: str
    """As it was written."""

    split: str
    """train, where none is named, or validation."""

    metric: str
    comparison: str
    """>=, >, <= or <."""

    bound: float


def parse(option: str, text: str) -> Condition:
    """The condition that a person wrote: "accuracy>=0.9", "loss<0.4", "validation/loss < 0.3".

    Args:
        option: What it was given to, "--stop-at".
        text: What was given.

    Raises:
        UserError: it is none; naming the option.
    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise UserError(
            f"{option} must be a metric and its bound, like accuracy>=0.9, loss<0.4 or"
            f" validation/accuracy>=0.9, not {text}"
        )
    return Condition(
        text=form[0],
        split=form["split"] or "train",
        metric=form["metric"],
        comparison=form["comparison"],
        bound=float(form["bound"]),
    )
