"""The live display: bars and a table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

import rich.box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from trainer.core.text import printable


class Bar(Protocol):
    """What is told of work under way."""

    def __call__(self, done: int, total: int, note: str | None = None) -> None:
        """So many of so many are done; the note says more than their number a second."""


class _Terminal(Console):
    """Where nobody reads any more, the command ends as others do; rich would exit by itself."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Display:
    """All that a command prints but its errors; names of files and classes may hold anything."""

    def __init__(self, console: Console | None = None) -> None:
        """Print to a console; standard output when not given."""
        self._console = console or _Terminal(highlight=False)

    def say(self, line: str) -> None:
        """One line, as it is; what a terminal would obey is spelt out."""
        self._console.print(self._text(line), soft_wrap=True)

    @contextlib.contextmanager
    def bar(self, name: str, unit: str) -> Iterator[Bar]:
        """A live line while work goes on; on a terminal only."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        shown = self._console.is_terminal
        progress = Progress(*columns, console=self._console, transient=True, disable=not shown)
        line = progress.add_task(name, total=None, note="", visible=False)
        began = time.perf_counter()

        def show(done: int, total: int, note: str | None = None) -> None:
            note = note or f"{done / (time.perf_counter() - began):,.0f} {unit}/s"
            progress.update(line, completed=done, total=total, note=note, visible=True)

        with progress:
            yield show

    def table(self, first_column: str, rows: Mapping[str, Mapping[str, str]]) -> None:
        """A table: a line for each row by its name, a column for each of the values' names."""
        columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        table = Table(box=rich.box.SIMPLE_HEAD)
        for number, column in enumerate((first_column, *columns)):
            table.add_column(self._text(column), justify="right" if number else "left")
        for name, row in rows.items():
            cells = (name, *(row.get(column, "") for column in columns))
            table.add_row(*map(self._text, cells))
        self._console.print(table)

    def _text(self, text: str) -> Text:
        """As it is: rich reads [red] and :cat: in a plain string, and fails on a lone [/]."""
        encoding = self._console.encoding
        return Text(printable(text).encode(encoding, "backslashreplace").decode(encoding))


def in_words(metrics: Mapping[str, float]) -> str:
    """The two metrics that a line has room for: "loss 0.2871 accuracy 0.9117"."""
    return " ".join(
        f"{name} {metrics[name]:.4f}" for name in ("loss", "accuracy") if name in metrics
    )
