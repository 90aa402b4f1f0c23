"""`python -m benchmarks`: measure, print the tables, and fill docs/benchmarks.md."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from benchmarks.page import PAGE, fill_page, require_sections
from benchmarks.results import Result, claim_table, keep_result, load_results, run_table
from benchmarks.suite import NAMES, Name, measure, require_what_they_need
from trainer import UserError, command_line
from trainer.report.progress import Display


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the trainer beside what one would use in its place, on one machine and one data."""

    names: tyro.conf.Positional[tuple[Name, ...]] = NAMES
    """Which benchmarks; all when none is named."""

    rounds: int | None = None
    """How often each contestant runs; when not given, the slow seldom and the fast often."""

    data_dir: Path | None = None
    """Where TFDS keeps its datasets, prepared; its own default when not given."""

    results: Path | None = None
    """A JSON file to keep every run in, beside those of other benchmarks that it has already;
    docs/benchmarks.md is then filled from it."""

    def __post_init__(self) -> None:
        """Refuse to run nothing.

        Raises:
            UserError: no round.
        """
        if self.rounds is not None and self.rounds < 1:
            raise UserError(f"--rounds must be at least 1, not {self.rounds}")

    @property
    def prepared(self) -> Path:
        """`data_dir`, or TFDS's own; asked here without the seconds that its import takes."""
        its_own = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        return (self.data_dir or Path(its_own).expanduser()).absolute()


def main(arguments: Sequence[str]) -> None:
    """Measure what the options ask for.

    Raises:
        UserError: what a person can mend, before anything is measured.
    """
    options = command_line.parse_options("benchmarks", Options(), arguments)
    require_what_they_need(options.names, options.prepared)
    if options.results:
        require_sections(PAGE, options.names)
        load_results(options.results)
    display = Display()
    for name in options.names:
        result = measure(name, options.rounds, options.prepared)
        _show(display, name, result)
        if options.results:
            fill_page(PAGE, keep_result(options.results, name, result))


def _show(display: Display, name: str, result: Result) -> None:
    display.table(f"{name}: medians", run_table(result))
    display.table(f"{name}: claim", claim_table(result))
    display.say(result.circumstances)


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
