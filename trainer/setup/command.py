"""The command of a run, from its options."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from typing import Any

from trainer.config.bounds import flag
from trainer.config.config import Config
from trainer.core.addresses import address_of


def run_command(config: Config, defaults: Config) -> str:
    """What to type for a run with these options; the task's defaults are left out."""
    changed = dataclasses.replace(defaults, task=config.task, resume=config.resume)
    arguments = ["--task", config.task]
    for field in dataclasses.fields(Config):
        value = getattr(config, field.name)
        if value != getattr(changed, field.name):
            arguments += _arguments(field.name, value)
    return f"python -m trainer.run {shlex.join(arguments)}"


def _arguments(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield flag(name) if value else f"--no-{flag(name)[2:]}"
        return
    yield flag(name)
    yield from (address_of(one) or str(one) for one in _as_tuple(value))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
