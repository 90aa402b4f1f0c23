"""`python -m trainer.completion`: print a script that completes the commands in a shell."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import tyro

from trainer import command_line
from trainer.__main__ import COMMANDS
from trainer.config.config import Config
from trainer.setup.plugins import task_names


@dataclasses.dataclass(frozen=True)
class CompletionOptions:
    """Print a script that completes commands, options and their values, for a shell to read."""

    shell: Annotated[Literal["bash", "zsh", "fish"], tyro.conf.Positional] = "bash"
    """The shell: source <(trainer completion bash)"""


OPTIONS = CompletionOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Print the script.

    Raises:
        UserError: there is no such shell.
    """
    options, output = command_line.parse_options("completion", OPTIONS, arguments)
    script = completion_script(options.shell)
    if not output.json:
        print(script)
    output.print_json({"shell": options.shell, "script": script})


def completion_script(shell: str) -> str:
    """What a shell reads to complete `trainer`: every command, its options and their values."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
        tyro.extras.subcommand_cli_from_dict(
            {name: _options(name) for name in COMMANDS},
            prog="trainer",
            args=["--tyro-print-completion", shell],
        )
    # tyro takes a line break in an option's description for the end of a completion.
    return re.sub(r"^COMPLETION_SPEC.*", _without_line_breaks, written.getvalue(), flags=re.M)


def _without_line_breaks(specification: re.Match[str]) -> str:
    return re.sub(r"\\+n", " ", specification[0])


def _options(command: str) -> Any:
    """The type of a command's options."""
    defaults = importlib.import_module(f"trainer.{command}").OPTIONS
    options: Any = _with_task_names() if isinstance(defaults, Config) else type(defaults)
    return command_line.CommandLine[options]


def _with_task_names() -> type:
    """The options of a run, whose `--task` takes the names that there are."""
    task = ("task", Literal[tuple(task_names())], dataclasses.field(default=Config.task))
    return dataclasses.make_dataclass("Run", [task], bases=(Config,), frozen=True, kw_only=True)


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
