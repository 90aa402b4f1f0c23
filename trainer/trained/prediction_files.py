"""The image files that a command is given: files, folders, names on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer.core.errors import UserError
from trainer.data.readers.layout import image_files_below

STANDARD_INPUT = "-"


def image_files(given: Sequence[str]) -> Iterator[str]:
    """The files that are meant, in their order.

    Args:
        given: Files; folders, with all that may be images in them; - for names on standard input,
            one a line.

    Raises:
        UserError: a folder has no images.
    """
    for name in given:
        if name == STANDARD_INPUT:
            yield from image_files([line.rstrip("\n") for line in sys.stdin if line.strip()])
        elif Path(name).is_dir():
            yield from _files_in(Path(name))
        else:
            yield name


def _files_in(folder: Path) -> list[str]:
    found = [str(path) for path in image_files_below(folder)]
    if not found:
        raise UserError(f"{folder} has no images; give it some, or choose another folder")
    return found
