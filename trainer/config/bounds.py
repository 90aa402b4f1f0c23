"""What values an option may have, declared at the option and checked when a config is made.

```python
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    epochs: Annotated[int, AtLeast(1)] = 10
    jit: Literal["auto", "on", "off"] = "auto"
```

A check is anything callable in an `Annotated` that takes an option as it is typed ("--epochs") and
its value, and raises a UserError. The choices of a `Literal` are checked too. None means that the
option is not given, and passes every check.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from trainer.core.errors import UserError

Check = Callable[[str, Any], object]

MAX_COUNT = 2**31 - 1
"""The largest int32, in which TensorFlow counts."""

MAX_FLOAT = sys.float_info.max


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """A group of options, each of which is checked when the group is made."""

    def __post_init__(self) -> None:
        """Check every option against its bounds and choices; paths may be given as text.

        Raises:
            UserError: naming the option.
        """
        hints = typing.get_type_hints(type(self), include_extras=True)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str) and Path in typing.get_args(hints[field.name] | None):
                object.__setattr__(self, field.name, Path(value))
            elif value is not None:
                for check in _checks(hints[field.name]):
                    check(flag(field.name), value)


def check_option(group: type[Options], name: str, value: Any) -> None:
    """Check the value of one option of a group by itself.

    Raises:
        UserError: naming the option.
    """
    if value is not None:
        for check in _checks(typing.get_type_hints(group, include_extras=True)[name]):
            check(flag(name), value)


@dataclasses.dataclass(frozen=True)
class Between:
    """Accepts numbers from a minimum to a maximum, both included; NaN is refused."""

    minimum: float
    maximum: float

    def __call__(self, option: str, value: float) -> None:
        """Refuse what is outside."""
        if not self.minimum <= value <= self.maximum:
            bound = f"most {self.maximum}" if value > self.maximum else f"least {self.minimum}"
            raise UserError(f"{option} must be at {bound}, not {value}")


@dataclasses.dataclass(frozen=True)
class AtLeast(Between):
    """Accepts integers from a minimum up to the largest int32."""

    maximum: float = MAX_COUNT


@dataclasses.dataclass(frozen=True)
class OneOf:
    """Accepts one of several values."""

    choices: tuple[Any, ...]

    def __call__(self, option: str, value: Any) -> None:
        """Refuse what is none of the choices."""
        if value not in self.choices:
            *others, last = self.choices
            raise UserError(f"{option} must be {', '.join(others)} or {last}, not {value}")


def positive(option: str, value: float) -> None:
    """Accept finite numbers above 0."""
    if not 0 < value < math.inf:
        raise UserError(f"{option} must be a number above 0, not {value}")


def positive_up_to_one(option: str, value: float) -> None:
    """Accept numbers above 0 up to 1."""
    if not 0 < value <= 1:
        raise UserError(f"{option} must be above 0 and at most 1, not {value}")


def below_one(option: str, value: float) -> None:
    """Accept numbers from 0 up to, but not including, 1."""
    if not 0 <= value < 1:
        raise UserError(f"{option} must be at least 0 and less than 1, not {value}")


def flag(option: str) -> str:
    """An option as it is typed: "--log-dir" for log_dir."""
    return f"--{option.replace('_', '-')}"


def _checks(hint: Any) -> Iterator[Check]:
    """The checks that an option's type declares."""
    kind, arguments = typing.get_origin(hint), typing.get_args(hint)
    if kind is Annotated:
        inner, *metadata = arguments
        yield from _checks(inner)
        yield from filter(callable, metadata)
    elif kind is Literal:
        yield OneOf(arguments)
    elif kind in (Union, types.UnionType):
        for argument in arguments:
            yield from _checks(argument)
