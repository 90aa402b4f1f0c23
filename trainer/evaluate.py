"""`python -m trainer.evaluate`: measure a finished run on a split of its data, or on others."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from trainer import command_line
from trainer.config.bounds import Between, Options
from trainer.runs.run import load
from trainer.setup.resume import LAST, find_run

logger = logging.getLogger("trainer.evaluate")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class EvaluateOptions(Options):
    """Measure a finished run: its metrics with 95 % intervals, and every class."""

    run: Annotated[str, tyro.conf.Positional] = LAST
    """The folder of a run, or last."""

    split: Literal["test", "validation", "train"] = "test"
    """The split to measure it on."""

    data: str | None = None
    """Other data than the run's: a folder of class folders, or a table. All of its images are
    measured, unless it has splits."""

    tta: Annotated[int, Between(1, 100)] = 1
    """Test-time augmentation: average the scores of this many views of each image, the first of
    which is the image as it is; the others as in training, or flipped and lightly augmented."""

    predictions: Path | None = None
    """Write a CSV file with the label and the scores of every image."""

    data_dir: Path | None = None
    """The folder of TFDS datasets; that of the run when not given."""

    log_dir: Path = Path("logs")
    """Where the last run is looked for."""


OPTIONS = EvaluateOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Measure, and show it.

    Raises:
        UserError: what a person can fix.
    """
    options, output = command_line.parse_options("evaluate", OPTIONS, arguments)
    with output.shown():
        run = load(find_run(options.run, options.log_dir, None, option="RUN"))
        measured = run.evaluate(options.split, options.data, options.data_dir, options.tta)
        logger.info("%s, %s examples", measured.about, f"{measured.evaluation.examples:,}")
        for table in measured.tables():
            logger.info(table)
        if options.predictions is not None:
            measured.write_predictions(options.predictions)
            logger.info("predictions: %s", options.predictions)
    output.print_json(measured.as_json())


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
