"""The console script: `trainer run …` is `python -m trainer.run …`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from trainer.core.errors import UserError
from trainer.core.text import did_you_mean

COMMANDS = {
    "run": "train a task and test it",
    "launch": "train with several workers on this machine, to try it out",
    "evaluate": "measure a finished run on a split, or on other images",
    "predict": "say what is on images, with the scores",
    "export": "write a trained model for programs without this package",
    "compare": "show finished runs side by side, and whether one of two is better",
    "review": "find near-duplicates, likely wrong labels and odd images in data",
    "sweep": "train many trials of a task by one start: a grid, at random, a search, folds",
    "tasks": "list the tasks, their data, and whether the data are on this machine",
    "cache": "list what is cached and its size, or clear it",
    "doctor": "check the machine and the installation: what is wrong, and what to type",
    "completion": "print a script that completes these commands in a shell",
}
"""Every command, which is the module of its name, and what it does."""


def main() -> None:
    """Run the command named first, with the options behind it."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(_help())
        sys.exit(0)
    from trainer import command_line  # takes its time, and the list of commands needs none

    sys.exit(command_line.exit_code(lambda options: _dispatch(name, options), arguments))


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = (f"  {name:{width}}  {what}" for name, what in COMMANDS.items())
    return "\n".join(
        [
            "usage: trainer COMMAND [options]",
            "",
            *lines,
            "",
            "trainer COMMAND --help lists the options of a command.",
        ]
    )


def _dispatch(name: str, options: Sequence[str]) -> None:
    if name.startswith("-"):
        raise UserError(f"{name} stands before the command; write trainer run {name} …, say")
    if name not in COMMANDS:
        raise UserError(f"there is no command {name!r}; {did_you_mean(name, COMMANDS)}")
    importlib.import_module(f"trainer.{name}").main(options)


if __name__ == "__main__":
    main()
