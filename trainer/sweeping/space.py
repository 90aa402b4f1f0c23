"""What a sweep varies: `--grid NAME=A,B,C` and `--range NAME=LOW:HIGH[:log]`, as points.

A point gives each option that is swept one value.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

from trainer.config.bounds import check_option
from trainer.config.config import Config
from trainer.config.logging import LoggingOptions
from trainer.core.errors import UserError
from trainer.core.text import nearest_name

NOT_SWEPT = frozenset(
    {
        *LoggingOptions.__dataclass_fields__,
        *("task", "resume", "dry_run", "checkpoint_every", "hook", "stop_at", "max_minutes"),
        *("data", "data_dir", "cache_dir", "feature_memory", "skip_bad_images"),
    }
)
"""The options that one sweep has one value of."""

SWEPT = tuple(name for name in Config.__dataclass_fields__ if name not in NOT_SWEPT)

MAX_GRID = 100_000
"""Points that a grid may have."""

Point = Mapping[str, Any]
"""A value of each option that is swept, as JSON takes it."""


@dataclasses.dataclass(frozen=True)
class Choices:
    """An option that takes each of some values."""

    name: str
    values: tuple[Any, ...]

    def draw(self, randoms: random.Random) -> Any:
        """One of them, all as likely."""
        return randoms.choice(self.values)


@dataclasses.dataclass(frozen=True)
class Range:
    """A number between two, both included."""

    name: str
    low: float
    high: float
    log: bool
    """Whether it is as likely between 1 and 10 as between 10 and 100."""

    def draw(self, randoms: random.Random) -> Any:
        """A number of it; an integer where both ends are."""
        if isinstance(self.low, int):
            # Each integer stands for the numbers around it that round to it.
            drawn = self._between(max(self.low - 0.5, 0.5 if self.log else -math.inf), randoms)
            return min(max(round(drawn), self.low), int(self.high))
        return min(max(self._between(self.low, randoms), self.low), self.high)

    def _between(self, low: float, randoms: random.Random) -> float:
        high = self.high + 0.5 if isinstance(self.low, int) else self.high
        if not self.log:
            return randoms.uniform(low, high)
        return math.exp(randoms.uniform(math.log(low), math.log(high)))


Space = Sequence[Choices | Range]


def parse_space(grids: Sequence[str], ranges: Sequence[str]) -> Space:
    """What `--grid` and `--range` vary.

    Raises:
        UserError: one is of another form, names no option, or has a value that the option does not
            take.
    """
    space: list[Choices | Range] = [
        *(_choices(text) for text in grids),
        *(_range(text) for text in ranges),
    ]
    names = [dimension.name for dimension in space]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"{twice[0]} is swept twice; give all its values in one --grid or --range")
    return space


def grid_points(space: Space) -> list[Point]:
    """Every combination of the values of a space that has no ranges.

    Raises:
        UserError: it has a range, or more than MAX_GRID combinations.
    """
    ranges = [dimension.name for dimension in space if isinstance(dimension, Range)]
    if ranges:
        raise UserError(
            f"--range {ranges[0]} has no end of values; add --random N, or --search tpe --trials N"
        )
    choices = [dimension for dimension in space if isinstance(dimension, Choices)]
    size = math.prod(len(each.values) for each in choices)
    if size > MAX_GRID:
        raise UserError(f"--grid: that is {size:,} points; choose fewer values, or --random N")
    names = [each.name for each in choices]
    products = itertools.product(*(each.values for each in choices))
    return [dict(zip(names, values, strict=True)) for values in products]


def random_points(space: Space, count: int, seed: int) -> list[Point]:
    """So many points of a space, a function of the seed; of a grid all different ones.

    A grid that has no more of them is taken whole.
    """
    randoms = random.Random(seed)
    if not any(isinstance(dimension, Range) for dimension in space):
        points = grid_points(space)
        return randoms.sample(points, min(count, len(points)))
    return [{each.name: each.draw(randoms) for each in space} for _ in range(count)]


def _choices(text: str) -> Choices:
    name, values = _split("--grid", text, "NAME=A,B,C")
    parsed = [_parsed("--grid", name, value) for value in values.split(",")]
    repeated = [value for value in parsed if parsed.count(value) > 1]
    if repeated:
        raise UserError(f"--grid {text}: {repeated[0]} is there twice; give each value once")
    return Choices(name, tuple(parsed))


def _range(text: str) -> Range:
    form = "NAME=LOW:HIGH or NAME=LOW:HIGH:log"
    name, values = _split("--range", text, form)
    low_text, _, rest = values.partition(":")
    high_text, colon, scale = rest.partition(":")
    if not rest or (colon and scale != "log"):
        raise UserError(f"--range {text}: write it as {form}")
    low, high = (_parsed("--range", name, value) for value in (low_text, high_text))
    for value in (low, high):
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
            raise UserError(f"--range {text}: {name} is no number; use --grid {name}=A,B,C")
    if not low < high:
        raise UserError(f"--range {text}: {low_text} must be less than {high_text}")
    if scale and low <= 0:
        raise UserError(f"--range {text}: a log range begins above 0, not at {low_text}")
    return Range(name, low, high, bool(scale))


def _split(option: str, text: str, form: str) -> tuple[str, str]:
    given, equals, values = text.partition("=")
    name = given.strip().removeprefix("--").replace("-", "_")
    if not equals or not values:
        raise UserError(f"{option} {text}: write it as {form}")
    if name in Config.__dataclass_fields__ and name not in SWEPT:
        raise UserError(f"{option} {text}: a sweep has one {name}; give it as an option of its own")
    if name not in SWEPT:
        nearest = nearest_name(name, SWEPT)
        hint = f"did you mean {nearest}?" if nearest else "trainer sweep --help lists them"
        raise UserError(f"{option} {text}: there is no option {name!r}; {hint}")
    return name, values


def _parsed(option: str, name: str, text: str) -> Any:
    """The value that a text states, as JSON takes it; within the bounds of the option."""
    text = text.strip()
    kinds = list(_kinds(typing.get_type_hints(Config)[name]))
    value = _value(option, name, text, kinds)
    try:
        check_option(Config, name, value)
    except UserError as error:
        raise UserError(f"{option} {name}: {error}") from None
    return value


def _value(option: str, name: str, text: str, kinds: Sequence[Any]) -> Any:
    literals = [value for kind in kinds for value in typing.get_args(kind)]
    if types.NoneType in kinds and text == "none" and "none" not in literals:
        return None
    for kind, what in ((int, "an integer"), (float, "a number")):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                raise UserError(f"{option} {name}: {text!r} is not {what}") from None
    if bool in kinds:
        if text not in ("true", "false"):
            raise UserError(f"{option} {name}: {text!r} is neither true nor false")
        return text == "true"
    return text


def _kinds(hint: Any) -> Iterator[Any]:
    """The types that a value may have: of `float | None` both."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        yield from typing.get_args(hint)
    else:
        yield hint
