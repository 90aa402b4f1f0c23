"""A table that changes while work lasts, where the commands have a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from trainer.report.display import LOGGER, Display, Table


@contextlib.contextmanager
def live_table() -> Iterator[Callable[[str, Table], None]]:
    """Yields what shows a line and a table below it, in place of those before.

    Nothing is shown where no display is, or no terminal; when the work is done the table goes.
    """
    displays = (handler for handler in LOGGER.handlers if isinstance(handler, Display))
    display = next(displays, None)
    if display is None:
        yield lambda _line, _table: None
        return
    with display.live() as show:
        yield show
