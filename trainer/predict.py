"""`python -m trainer.predict`: what a finished run says of images."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import tyro

from trainer import command_line
from trainer.config.bounds import AtLeast, Between, Options
from trainer.core.errors import UserError
from trainer.runs.run import Run, load
from trainer.setup.resume import find_run
from trainer.trained.prediction_files import image_files

if TYPE_CHECKING:
    from trainer.trained.prediction_writers import PredictionWriter

logger = logging.getLogger("trainer.predict")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class PredictOptions(Options):
    """Say what is on images: the classes, labels or numbers that a finished run predicts."""

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """The folder of the run, LOG_DIR/<task>/<run>, or last."""

    images: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    """Files, and folders of them; - reads a name from each line of standard input."""

    top: Annotated[int | None, AtLeast(1)] = None
    """How many classes to show of each image, the most probable first: 1 in a table, all in JSON
    when not given."""

    unknown_below: Annotated[float | None, Between(0, 1)] = None
    """Call an image unknown where its most probable class has a lower score."""

    precision: Literal["0.80", "0.90", "0.95", "0.98", "0.99"] | None = None
    """The same, with the score above which this part of the answers is right on validation."""

    tta: Annotated[int, Between(1, 100)] = 1
    """Test-time augmentation: average the scores of this many views of each image, the first of
    which is the image as it is; the others as in training, or flipped and lightly augmented."""

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
    paths, unreadable = list(image_files(options.images)), 0
    if not paths:
        raise UserError("there is no IMAGE; name files, a folder of them, or - for names on stdin")
    with output.shown(only_results=options.csv) as stdout:
        run = load(find_run(options.run, options.log_dir, None, option="RUN"))
        writer = _writer(options, output.json, stdout)
        for predictions in run.predict_files(paths, _unknown_below(run, options), options.tta):
            writer.write(predictions)
            for image, error in predictions.unreadable.items():
                logger.warning("%s %s; it is skipped", image, error)
            unreadable += len(predictions.unreadable)
        writer.close()
    if unreadable:
        raise UserError(f"{unreadable:,} of {len(paths):,} files cannot be read; fix or omit them")


def _writer(options: PredictOptions, is_json: bool, stdout: TextIO) -> PredictionWriter:
    from trainer.trained.prediction_writers import CsvLines, JsonLines, TableAtTheEnd  # TensorFlow

    if is_json:
        return JsonLines(stdout, options.top)
    return CsvLines(stdout) if options.csv else TableAtTheEnd(options.top or 1)


def _unknown_below(run: Run, options: PredictOptions) -> float:
    """The score of `--unknown-below`, or that of `--precision` on the run's validation."""
    if options.precision is None:
        return options.unknown_below or 0.0
    found = run.result.get("calibration", {}).get("unknown_below", {}).get(options.precision)
    if found is None:
        raise UserError(
            f"--precision {options.precision}: no score of this run had that precision on"
            " validation; choose a lower one, or --unknown-below"
        )
    return found["score"]


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
