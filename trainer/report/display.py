"""What the commands show: log lines, progress bars and tables; plain lines without a terminal."""

from __future__ import annotations

import contextlib
import dataclasses
import html
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import rich.box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

from trainer.core import progress
from trainer.core.text import printable

LOGGER = logging.getLogger("trainer")
"""The logger whose messages the commands show."""

_DIGITS = "0123456789.,+-e%"
"""What numbers are written with; a column of them is aligned to the right."""

_NO_EDGE = 100_000
"""The width of a file or a pipe, in characters: no table's cells are wrapped there."""

_PREFIXES = {logging.WARNING: "warning: ", logging.ERROR: "error: "}

SECONDS_BETWEEN_LINES = 30.0
"""How often long work writes a line where there is no terminal, so that a log shows life."""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows by their names, to be logged: drawn by the commands, plain text anywhere else."""

    first_column: str
    rows: Mapping[str, Mapping[str, str]]

    @property
    def columns(self) -> list[str]:
        """The names of all values, in the order in which they come."""
        return list(dict.fromkeys(column for row in self.rows.values() for column in row))

    def cells(self) -> list[list[str]]:
        """The header and every row, with "" for a value that a row does not have."""
        header = [self.first_column, *self.columns]
        rows = ([name, *(row.get(c, "") for c in self.columns)] for name, row in self.rows.items())
        return [header, *rows]

    def __str__(self) -> str:
        """Plain text, in columns."""
        cells = self.cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        padded = ((cell.ljust(width) for cell, width in zip(r, widths, strict=True)) for r in cells)
        return "\n".join("  ".join(row).rstrip() for row in padded)

    def _repr_html_(self) -> str:
        """The same in a notebook."""
        header, *rows = self.cells()
        lines = [_html_row(header, "th"), *(_html_row(row, "td") for row in rows)]
        return f"<table>{''.join(lines)}</table>"


class Display(logging.Handler):
    """Shows log messages, tables and progress on a console.

    ```python
    with Display().shown():
        trainer.train(task, config)
    ```
    """

    def __init__(self, console: Console | None = None, quiet: bool = False) -> None:
        """Show them on a console; on standard output when not given.

        Args:
            console: Of rich.
            quiet: Whether to show warnings and errors only.
        """
        super().__init__()
        self._console = console or _Terminal(highlight=False)
        self._quiet = quiet
        if not self._console.is_terminal:
            self._console.width = _NO_EDGE

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """While inside, the package's messages and progress are shown here, and only here."""
        level, propagates = LOGGER.level, LOGGER.propagate
        LOGGER.addHandler(self)
        LOGGER.setLevel(logging.WARNING if self._quiet else logging.INFO)
        LOGGER.propagate = False
        try:
            with progress.shown_by(None if self._quiet else self.bars):
                yield
        finally:
            LOGGER.removeHandler(self)
            LOGGER.setLevel(level)
            LOGGER.propagate = propagates

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message on one line, or draw a table."""
        if isinstance(record.msg, Table):
            self._draw(record.msg)
        else:
            prefix = _PREFIXES.get(record.levelno, "")
            self._console.print(self._text(prefix + record.getMessage()), soft_wrap=True)

    @contextlib.contextmanager
    def bars(self, name: str, unit: str) -> Iterator[progress.Progress]:
        """A live line while the work lasts; without a terminal a line now and then."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        hidden = not self._console.is_terminal
        bar = Progress(*columns, console=self._console, transient=True, disable=hidden)
        line = bar.add_task(name, total=None, note="", visible=False)
        began = printed = time.perf_counter()

        def report(done: int, total: int, note: str | None = None) -> None:
            nonlocal printed
            now = time.perf_counter()
            note = note or f"{done / (now - began):,.0f} {unit}/s"
            bar.update(line, completed=done, total=total, note=note, visible=True)
            if hidden and now - printed > SECONDS_BETWEEN_LINES:
                printed = now
                self._console.print(self._text(f"{name}: {done:,} of {total:,}  {note}"))

        with bar:
            yield report

    @contextlib.contextmanager
    def live(self) -> Iterator[Callable[[str, Table], None]]:
        """What shows a line and a table below it, in place of those before; on a terminal."""
        if self._quiet or not self._console.is_terminal:
            yield lambda _line, _table: None
            return
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            yield lambda line, table: live.update(
                Group(self._text(line), self._drawn(table)), refresh=True
            )

    def _draw(self, table: Table) -> None:
        self._console.print(self._drawn(table))

    def _drawn(self, table: Table) -> RichTable:
        drawn = RichTable(box=rich.box.SIMPLE_HEAD)
        header, *rows = table.cells()
        for column, *cells in zip(header, *rows, strict=True):
            justify: Literal["left", "right"] = "right" if _are_numbers(cells) else "left"
            drawn.add_column(self._text(column), justify=justify)
        for row in rows:
            drawn.add_row(*map(self._text, row))
        return drawn

    def _text(self, text: str) -> Text:
        """The text as it is: rich parses [red] and :cat: in a plain string, and fails on [/]."""
        encoding = self._console.encoding
        return Text(printable(text).encode(encoding, "backslashreplace").decode(encoding))


def _html_row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _are_numbers(cells: Sequence[str]) -> bool:
    return any(cells) and not any(cell.strip(_DIGITS) for cell in cells)


class _Terminal(Console):
    """Where nobody reads any more, the command ends as others do; rich would exit by itself."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def format_metrics(metrics: Mapping[str, float], names: Sequence[str] = ()) -> str:
    """The two metrics that a line has room for: "loss 0.2871 accuracy 0.9117".

    Args:
        metrics: All of them.
        names: Of those that the task has, the first stands beside the loss where there is no
            accuracy.
    """
    beside = [name for name in ("accuracy", *names) if name in metrics]
    return " ".join(f"{name} {metrics[name]:.4f}" for name in ("loss", *beside[:1]))
