"""Conditions on a metric at which training stops: "validation/accuracy>=0.9"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from trainer.core.errors import UserError

_FORM = re.compile(
    r"((?P<split>train|validation)/)?(?!test/)(?P<metric>[\w-]+(/[^<>=]*[^<>=\s])?)"
    r" *(?P<comparison>>=|>|<=|<) *(?P<bound>-?\d*\.?\d+(e-?\d+)?)"
)


class Condition(NamedTuple):
    """A bound that a metric has to reach: "validation/accuracy>=0.9"."""

    text: str
    """As it was written."""

    split: str
    """train, where none is named, or validation."""

    metric: str
    comparison: str
    """>=, >, <= or <."""

    bound: float


def parse(option: str, text: str) -> Condition:
    """The condition that a text states: "accuracy>=0.9", "loss<0.4", "validation/loss < 0.3".

    Args:
        option: The option as it is typed, "--stop-at".
        text: Its value.

    Raises:
        UserError: the text states no condition; naming the option.
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


def parse_all(option: str, texts: Sequence[str]) -> list[Condition]:
    """The conditions that several texts state; see `parse`."""
    return [parse(option, text) for text in texts]
