"""Options to a Config, and errors to an exit code."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import tyro

from trainer.config.config import Config
from trainer.core import signals
from trainer.core.errors import UserError
from trainer.core.text import printable
from trainer.report.output import Output
from trainer.setup.plugins import find_task
from trainer.setup.resume import check_same_options, find_run, saved_config
from trainer.task import Task

Options = TypeVar("Options")

BROKEN_PIPE = 141  # what shells report of a program that SIGPIPE has ended


@dataclasses.dataclass(frozen=True)
class CommandLine(Generic[Options]):
    """All options of a command: its own, and those that every command has."""

    options: Annotated[Options, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")]


def parse(command: str, arguments: Sequence[str]) -> tuple[Task, Config, Output]:
    """The task and the config of a command's options; the task's own defaults for the others.

    The defaults of a run that is resumed are its own options.

    Raises:
        UserError: an option that does not exist or a value it does not take, on one line.
        SystemExit: after `--help`.
    """
    resumed, task_name = given("resume", arguments), given("task", arguments)
    if resumed is None:
        task = find_task(task_name or Config.task)
        return task, *parse_options(command, task.defaults, arguments)
    log_dir = Path(given("log-dir", arguments) or Config.log_dir)
    cache_dir = given("cache-dir", arguments)
    cache_folder = Config(cache_dir=None if cache_dir is None else Path(cache_dir)).cache_folder
    task_name = task_name and find_task(task_name).name
    run = find_run(resumed, log_dir, task_name, cache_folder)
    saved = saved_config(run)
    config, output = parse_options(command, saved, arguments)
    check_same_options(saved, config)
    return find_task(saved.task), dataclasses.replace(config, resume=run), output


def parse_options(
    command: str, defaults: Options, arguments: Sequence[str]
) -> tuple[Options, Output]:
    """The options of a command, a dataclass, with defaults for those that are not given.

    With them `--quiet` and `--json`, which every command has.

    Raises:
        UserError: an option that does not exist or a value it does not take, on one line.
        SystemExit: after `--help`.
    """
    errors = io.StringIO()
    options_type: Any = CommandLine[type(defaults)]  # type: ignore[misc]
    if os.environ.get("NO_COLOR"):  # which tyro does not know, and rich does
        tyro._experimental_options["ansi_codes"] = False
    try:
        with contextlib.redirect_stderr(errors):
            parsed = tyro.cli(
                options_type,
                prog=f"trainer {command}",
                args=list(arguments),
                default=CommandLine(defaults, Output()),
                description=inspect.getdoc(defaults),
            )
    except SystemExit as exit:
        if exit.code == UserError.exit_code:
            raise UserError(f"{_on_one_line(errors.getvalue())}; see --help") from None
        raise
    return parsed.options, parsed.output


def exit_code(command: Callable[[Sequence[str]], None], arguments: Sequence[str]) -> int:
    """Run a command; a person's mistake is one line on standard error and code 2.

    Ctrl-C and SIGTERM end it with what shells report of them, 130 and 143.
    """
    try:
        with signals.handle_signals():
            _run_and_flush(command, arguments)
    except UserError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except signals.Interrupted as interrupted:
        print(printable(str(interrupted)), file=sys.stderr)
        return interrupted.exit_code
    except BrokenPipeError:
        _write_nowhere()
        return BROKEN_PIPE
    return 0


def _run_and_flush(command: Callable[[Sequence[str]], None], arguments: Sequence[str]) -> None:
    try:
        command(arguments)
    finally:
        sys.stdout.flush()  # a broken pipe is noticed here, not when Python ends


def _write_nowhere() -> None:
    """Send what is still to be written to the null device: Python's own note on SIGPIPE."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def given(option: str, arguments: Sequence[str]) -> str | None:
    """The value of an option that is read before all others: their defaults depend on it."""
    given = None
    for argument, value in zip(arguments, [*arguments[1:], None], strict=True):
        name, equals, attached = argument.partition("=")
        if name.replace("_", "-") == f"--{option}":
            given = attached if equals else value
    return given


def _on_one_line(box: str) -> str:
    """What is in the box that tyro draws around an error: the message, and the nearest option."""
    lines = [line.strip("│ ") for line in box.splitlines()[1:]]
    # Where the terminal takes ASCII alone, a rule below the title is all there is of the box.
    lines = list(itertools.dropwhile(_is_rule, lines))
    message = itertools.takewhile(lambda line: not _is_rule(line), lines)
    hints = itertools.dropwhile(lambda line: line != "Perhaps you meant:", lines)
    nearest = next(itertools.islice(hints, 1, None), "").partition(" ")[0]
    # Where a positional argument stands in `CommandLine` is not for people.
    told = " ".join(message).rstrip(".").replace("'options.", "'")
    return told + (f"; did you mean {nearest}?" if nearest else "")


def _is_rule(line: str) -> bool:
    return bool(line) and not line.strip("-─╰╯")
