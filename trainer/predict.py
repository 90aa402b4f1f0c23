"""`python -m trainer.predict`: what a finished run says of images."""

from __future__ import annotations

import csv
import dataclasses
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TextIO

import tyro

from trainer import command_line
from trainer.config.bounds import AtLeast, Between, Options
from trainer.core.errors import UserError
from trainer.runs.run import Run, load
from trainer.setup.resume import find_run

logger = logging.getLogger("trainer.predict")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class PredictOptions(Options):
    """Say what is on images: the classes, labels or numbers that a finished run predicts."""

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """The folder of the run, LOG_DIR/<task>/<run>, or last."""

    images: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    """Files, and folders of them; - reads a name from each line of standard input."""

    top: Annotated[int, AtLeast(1)] = 1
    """How many classes to show of each image, the most probable first."""

    unknown_below: Annotated[float | None, Between(0, 1)] = None
    """Call an image unknown where its most probable class has a lower score."""

    precision: Literal["0.80", "0.90", "0.95", "0.98", "0.99"] | None = None
    """The same, with the score above which this part of the answers is right on validation."""

    csv: bool = False
    """Print CSV, with a column for every score."""

    log_dir: Path = Path("logs")
    """Where the last run is looked for."""


OPTIONS = PredictOptions(tyro.MISSING, tyro.MISSING)
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Predict, and print it.

    Raises:
        UserError: what a person can fix; files that cannot be read, when all others are done.
    """
    options, output = command_line.parse_options("predict", OPTIONS, arguments)
    with output.shown(only_results=options.csv) as stdout:
        run = load(find_run(options.run, options.log_dir, None, option="RUN"))
        paths = list(_image_files(options.images))
        unreadable = 0
        with _Printer(options, output.json, stdout) as show:
            for predictions in run.predict_files(paths, _unknown_below(run, options)):
                show(predictions)
                for image, error in predictions.unreadable.items():
                    logger.warning("%s %s; it is skipped", image, error)
                unreadable += len(predictions.unreadable)
    if unreadable:
        raise UserError(f"{unreadable:,} of {len(paths):,} files cannot be read; fix or omit them")


class _Printer:
    """Prints predictions as they come: lines of JSON or of CSV, or a table in the end."""


def _image_files(given: Sequence[str]) -> Iterator[str]:
    """The files that are meant, in order; folders with all that is in them."""


def _unknown_below(run: Run, options: PredictOptions) -> float:
    """The score of `--unknown-below`, or that of `--precision` on the run's validation."""


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
