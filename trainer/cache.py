"""`python -m trainer.cache`: list the kept features and their size, or clear them."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer import command_line
from trainer.config.config import Config
from trainer.core.cache_folder import Entry, clear, entries
from trainer.report.display import Table

logger = logging.getLogger("trainer.cache")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class CacheOptions:
    """List the features that are kept, or clear them."""

    cache_dir: Path | None = None
    """The folder of kept features; the platform's user cache when not given."""

    clear: bool = False
    """Remove all of them. A run computes again what it needs."""


OPTIONS = CacheOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """List or clear.

    Raises:
        UserError: an option that does not exist.
    """
    options, output = command_line.parse_options("cache", OPTIONS, arguments)
    folder = Config(cache_dir=options.cache_dir).cache_folder
    with output.shown():
        kept = entries(folder)
        if kept:
            logger.info(_table(kept))
        total = sum(entry.megabytes for entry in kept)
        if options.clear:
            _clear(folder, total)
        else:
            logger.info("%s MB in %s", f"{total:,.1f}", folder)
    left = entries(folder) if options.clear else kept
    output.print_json({"folder": str(folder), "entries": [_as_json(entry) for entry in left]})


def _table(kept: Sequence[Entry]) -> Table:
    rows = {f"{e.about} ({e.path.name[:8]})": {"MB": f"{e.megabytes:,.1f}"} for e in kept}
    return Table("kept", rows)


def _as_json(entry: Entry) -> dict[str, str | float]:
    return {"about": entry.about, "path": str(entry.path), "megabytes": entry.megabytes}


def _clear(folder: Path, total: float) -> None:
    in_use = clear(folder)
    for entry in in_use:
        logger.info("%s stays: a run is using it", entry.about)
    cleared = total - sum(entry.megabytes for entry in in_use)
    logger.info("cleared %s MB in %s", f"{cleared:,.1f}", folder)


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
