"""`python -m benchmarks`: measure, print the tables, and fill docs/benchmarks.md."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from benchmarks.page import PAGE, check_sections, fill_page
from benchmarks.results import Result, claim_table, load_results, run_table, save_result
from benchmarks.suite import NAMES, Name, check_requirements, measure
from trainer import UserError, command_line
from trainer.report.display import LOGGER, Table


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the trainer beside what one would use in its place, on one machine and one data."""

    names: tyro.conf.Positional[tuple[Name, ...]] = NAMES
    """Which benchmarks; all when none is named."""

    rounds: int | None = None
    """How often each contestant runs; when not given, fast ones run more often than slow ones."""

    data_dir: Path | None = None
    """Where TFDS keeps its datasets, prepared; its own default when not given."""

    results: Path | None = None
    """A JSON file to save every run in, beside those of other benchmarks that it has already;
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
        default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        return (self.data_dir or Path(default).expanduser()).absolute()


def main(arguments: Sequence[str]) -> None:
    """Measure what the options ask for.

    Raises:
        UserError: what a person can fix, before anything is measured.
    """
    options, output = command_line.parse_options("benchmarks", Options(), arguments)
    check_requirements(options.names, options.prepared)
    if options.results:
        check_sections(PAGE, options.names)
        load_results(options.results)
    results = {}
    with output.shown():
        for name in options.names:
            result = results[name] = measure(name, options.rounds, options.prepared)
            _log(name, result)
            if options.results:
                fill_page(PAGE, save_result(options.results, name, result))
    output.print_json({name: dataclasses.asdict(result) for name, result in results.items()})


def _log(name: str, result: Result) -> None:
    LOGGER.info(Table(f"{name}: medians", run_table(result)))
    LOGGER.info(Table(f"{name}: claim", claim_table(result)))
    LOGGER.info(result.environment)


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
