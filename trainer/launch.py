"""`python -m trainer.launch`: several workers of one run on this machine, to try it out."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated

from trainer import command_line
from trainer.config.bounds import Between, Options
from trainer.distribution.local_group import run_group


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaunchOptions(Options):
    """Train with several workers on this machine, to try out what runs on several machines.

    All other options are those of trainer run.
    """

    workers: Annotated[int, Between(2, 64)] = 2
    """How many processes: each has its share of the processor's cores."""


OPTIONS = LaunchOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Start the workers, and end as the first of them does that fails.

    Raises:
        UserError: the number of workers cannot be read.
        SystemExit: with the exit code of the run.
    """
    own, of_run = own_and_others(list(arguments))
    options, _ = command_line.parse_options("launch", OPTIONS, own)
    command_line.parse("run", of_run)  # a mistake is told once, before anything is started
    command = [sys.executable, "-m", "trainer.run", "--strategy", "workers", *of_run]
    code = run_group(command, options.workers)
    if code:
        sys.exit(code)


def own_and_others(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options of this command, and those of the run."""
    own = [a for a in arguments if a in ("-h", "--help") or a.startswith("--workers=")]
    of_run = [a for a in arguments if a not in own]
    if "--workers" in of_run:
        at = of_run.index("--workers")
        own += of_run[at : at + 2]
        del of_run[at : at + 2]
    return own, of_run


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
