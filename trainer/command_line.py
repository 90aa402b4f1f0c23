"""Options to a Config, and what can go wrong to an exit code."""

from __future__ import annotations

import contextlib
import io
import itertools
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import tyro

from trainer.config import Config
from trainer.errors import UserError
from trainer.task import Task, find_task

Options = TypeVar("Options")

BAD_INPUT = 2
INTERRUPTED = 130


def parse(command: str, arguments: Sequence[str]) -> tuple[Task, Config]:
    """The task and the config that options ask for; the task's own defaults for the others.

    Raises:
        UserError: an option that does not exist or a value it does not take, on one line.
        SystemExit: after `--help`.
    """
    task = find_task(_task_name(arguments))
    return task, parse_options(command, task.defaults, arguments)


def parse_options(command: str, defaults: Options, arguments: Sequence[str]) -> Options:
    """The options of a command, a dataclass, with defaults for those that are not given.

    Raises:
        UserError: an option that does not exist or a value it does not take, on one line.
        SystemExit: after `--help`.
    """
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(
                type(defaults), prog=f"trainer {command}", args=list(arguments), default=defaults
            )
    except SystemExit as exit:
        if exit.code == BAD_INPUT:
            raise UserError(f"{_on_one_line(errors.getvalue())}; see --help") from None
        raise


def exit_code(command: Callable[[Sequence[str]], None], arguments: Sequence[str]) -> int:
    """Run a command; a person's mistake is one line on standard error and code 2."""
    try:
        command(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        return INTERRUPTED
    return 0


def _task_name(arguments: Sequence[str]) -> str:
    """What `--task` says, read before all else: the task has defaults of its own for the rest."""
    name = Config.task
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--task" and value:
            name = value
        elif option.startswith("--task="):
            name = option.removeprefix("--task=")
    return name


def _on_one_line(box: str) -> str:
    """What is in the box that tyro draws around an error: the message, and the nearest option."""
    lines = [line.strip("│ ") for line in box.splitlines()[1:]]
    message = itertools.takewhile(lambda line: not line.startswith(("─", "╰")), lines)
    hints = itertools.dropwhile(lambda line: line != "Perhaps you meant:", lines)
    nearest = next(itertools.islice(hints, 1, None), "").partition(" ")[0]
    return " ".join(message).rstrip(".") + (f"; did you mean {nearest}?" if nearest else "")
