"""`python -m trainer.cache`: what is kept, how much room it takes, and away with it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer import command_line
from trainer.config.config import Config
from trainer.core.cache_folder import clear, entries
from trainer.report.progress import Display


@dataclasses.dataclass(frozen=True)
class CacheOptions:
    """List the features that are kept, or take them away."""

    cache_dir: Path | None = None
    """Where they are kept; the platform's user cache when not given."""

    clear: bool = False
    """Take all of them away. A run computes again what it needs."""


def main(arguments: Sequence[str]) -> None:
    """List or clear.

    Raises:
        UserError: an option that does not exist.
    """
    options = command_line.parse_options("cache", CacheOptions(), arguments)
    folder, display = Config(cache_dir=options.cache_dir).cache_folder, Display()
    kept = entries(folder)
    if kept:
        display.table(
            "kept", {f"{e.about} ({e.path.name[:8]})": {"MB": f"{e.megabytes:,.1f}"} for e in kept}
        )
    total = sum(entry.megabytes for entry in kept)
    if not options.clear:
        display.say(f"{total:,.1f} MB in {folder}")
        return
    in_use = clear(folder)
    for entry in in_use:
        display.say(f"{entry.about} stays: a run is using it")
    display.say(f"cleared {total - sum(e.megabytes for e in in_use):,.1f} MB in {folder}")


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
