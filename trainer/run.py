"""`python -m trainer.run`: train a task and test it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer import command_line
from trainer.core import tensorflow_import
from trainer.report.clock import Clock
from trainer.report.progress import Display
from trainer.runs.resume import finished_message


def main(arguments: Sequence[str]) -> None:
    """Train the task that the options ask for.

    Raises:
        UserError: what a person can mend.
    """
    clock = Clock()
    task, config = command_line.parse("run", arguments)
    display = Display()
    if config.resume is not None and (told := finished_message(config.resume, config)):
        display.say(told)
        return
    tensorflow_import.import_tensorflow()
    from trainer.runs.run import run  # imports TensorFlow, which must be quiet by now

    run(task, config, display, clock)


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
