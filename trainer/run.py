"""`python -m trainer.run`: train a task and test it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer import command_line
from trainer.config.config import Config
from trainer.remote.runs import shown_run
from trainer.runs.run import train

OPTIONS = Config()
"""The defaults, which shells complete too; those of the task go before them."""


def main(arguments: Sequence[str]) -> None:
    """Train the task that the options ask for.

    Raises:
        UserError: what a person can fix.
    """
    task, config, output = command_line.parse("run", arguments)
    with output.shown():
        run = train(task, config)
    # The folder of a dry run is gone.
    folder = None if config.dry_run else shown_run(run.folder)
    output.print_json({**run.result, "folder": folder})


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
