"""`python -m trainer.compare`: finished runs side by side."""

from __future__ import annotations

import csv
import dataclasses
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import tyro

from trainer import command_line
from trainer.runs.run import load
from trainer.trained.compare import (
    FinishedRun,
    comparison_rows,
    comparison_table,
    finished_runs,
    sorted_by,
)

logger = logging.getLogger("trainer.compare")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """Show finished runs side by side: what differs in their options, and what they came to."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folders of runs, or folders that have runs in them. Of two that learned classes McNemar's
    test says whether one is better."""

    sort_by: str | None = None
    """The metric of the test split by which runs are sorted; accuracy, else loss, when not
    given."""

    csv: bool = False
    """Print CSV."""


OPTIONS = CompareOptions(tyro.MISSING)
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Compare, and print it.

    Raises:
        UserError: what a person can fix.
    """
    options, output = command_line.parse_options("compare", OPTIONS, arguments)
    with output.shown(only_results=options.csv) as stdout:
        runs = sorted_by(finished_runs(options.runs), options.sort_by)
        rows = comparison_rows(runs)
        if options.csv:
            _write_csv(rows, stdout)
        else:
            logger.info(comparison_table(rows))
        test = _mcnemar(runs)
    output.print_json({"runs": rows, **({} if test is None else {"mcnemar": test})})


def _mcnemar(runs: Sequence[FinishedRun]) -> dict[str, Any] | None:
    """The test of two runs on one test split, which is logged too; None of any others."""
    if len(runs) != 2:
        return None
    better, other = (load(run.folder).evaluate("test") for run in runs)
    test = better.mcnemar(other)
    if test is None:
        logger.info("McNemar's test is for two runs that learned classes, on the same test split")
        return None
    logger.info(
        "McNemar's test: %s alone has %d right, %s alone %d; p = %.2g",
        *(runs[0].folder.name, test.only_first_right),
        *(runs[1].folder.name, test.only_second_right, test.p_value),
    )
    return {**dataclasses.asdict(test), "p_value": test.p_value}


def _write_csv(rows: Sequence[Mapping[str, Any]], file: TextIO) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = csv.DictWriter(file, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
