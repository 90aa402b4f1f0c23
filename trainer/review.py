"""`python -m trainer.review`: what is wrong with the data of a run, or with others."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from trainer import command_line
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.tensorflow_import import import_tensorflow
from trainer.report.display import Table
from trainer.setup.plugins import find_task
from trainer.setup.resume import find_run, saved_config

logger = logging.getLogger("trainer.review")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class ReviewOptions:
    """Find near-duplicates, likely wrong labels and odd images; nothing is changed."""

    run: Annotated[str | None, tyro.conf.Positional] = None
    """The run whose data are reviewed: its folder, or last."""

    data: str | None = None
    """Data without a run: a folder of class folders, a table, or tfds with --task."""

    task: str = "folder"
    """The task of --data."""

    out: Path | None = None
    """The folder for review.csv and review.html; that of the run, or ./review, when not given."""

    similarity: float = 0.93
    """The cosine of two images' features from which on they are near-duplicates."""

    extractor: str | None = None
    """What gives the features; that of the run or of the task when not given."""

    data_dir: Path | None = None
    """The folder of TFDS datasets; that of the run when not given."""

    cache_dir: Path | None = None
    """The folder of the features that are kept; that of the run when not given."""

    log_dir: Path = Path("logs")
    """Where the last run is looked for."""

    def __post_init__(self) -> None:
        """Check what can be checked at once.

        Raises:
            UserError: a cosine that is none.
        """
        if not 0 < self.similarity <= 1:
            raise UserError(f"--similarity must be above 0 and at most 1, not {self.similarity:g}")


OPTIONS = ReviewOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Review data, and write what was found.

    Raises:
        UserError: what a person can fix.
    """
    options, output = command_line.parse_options("review", OPTIONS, arguments)
    with output.shown():
        config, folder = _reviewed(options)
        if importlib.util.find_spec("cleanlab") is None:  # before an image is read
            raise UserError(
                "review needs cleanlab, which is not installed; pip install 'tf-trainer[review]'"
            )
        import_tensorflow()
        from trainer.reviewing.examples import open_examples
        from trainer.reviewing.findings import review
        from trainer.reviewing.page import write_review_page

        found = review(
            open_examples(find_task(config.task), config), options.similarity, config.seed
        )
        table, page = folder / "review.csv", folder / "review.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found.write_csv(table)
            write_review_page(page, found, shlex.join(["trainer", "review", *arguments]))
        except OSError as error:
            raise UserError(f"--out {folder} cannot be written ({error.strerror})") from error
        counts = found.counts()
        logger.info(Table("finding", {name: {"count": f"{n:,}"} for name, n in counts.items()}))
        logger.info("all of them: %s", table)
        logger.info("to look at: %s", page)
    output.print_json({"findings": counts, "csv": str(table), "page": str(page)})


def _reviewed(options: ReviewOptions) -> tuple[Config, Path]:
    """The config that chooses the data, and the folder that is written."""
    if options.run is not None and options.data is None:
        folder = find_run(options.run, options.log_dir, None, option="RUN")
        config = saved_config(folder)
    elif options.data is not None and options.run is None:
        folder = Path("review")
        defaults = find_task(options.task).defaults
        config = dataclasses.replace(defaults, task=options.task, data=options.data)
    else:
        raise UserError("give either a run or --data: trainer review last, or --data PATH")
    given = {
        name: value
        for name in ("extractor", "data_dir", "cache_dir")
        if (value := getattr(options, name)) is not None
    }
    return dataclasses.replace(config, **given), options.out or folder


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
