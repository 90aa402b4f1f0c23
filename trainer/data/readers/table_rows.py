"""The rows of a table, CSV or Parquet, as text."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.core.errors import UserError
from trainer.core.text import first_line

SUFFIXES = (".csv", ".parquet")
"""Of the files that are read as tables."""

Cells = Mapping[str, str]
"""A row's cells by column, without space around them."""


@dataclasses.dataclass(frozen=True)
class TableRows:
    """What a table has."""

    columns: Sequence[str]
    rows: Sequence[tuple[int, Cells]]
    """Each with its number: of CSV the line that it ends on, as editors count them, of Parquet its
    place from 1 on."""

    place: str
    """What such a number is called: line or row."""


def read_rows(table: Path) -> TableRows:
    """The rows of a table.

    Raises:
        UserError: it cannot be read, names a column twice, or has rows of other lengths.
    """
    rows = _read_parquet(table) if table.suffix.lower() == ".parquet" else _read_csv(table)
    if twice := [name for name in rows.columns if list(rows.columns).count(name) > 1]:
        raise UserError(f"--data {table}: there are two columns {twice[0]}; remove one")
    return rows


def _read_csv(table: Path) -> TableRows:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = list(reader.fieldnames or ())
            rows = [(reader.line_num, _stripped(table, reader.line_num, row)) for row in reader]
    except OSError as error:
        raise UserError(f"--data {table}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--data {table}: is no CSV in UTF-8 ({error}); save it as one") from error
    return TableRows(header, rows, "line")


def _stripped(table: Path, number: int, cells: Mapping[str, str]) -> Cells:
    if None in cells or None in cells.values():
        raise UserError(
            f"--data {table}, line {number}: has not as many cells as the first line; write text"
            ' with a comma in it as "a, b"'
        )
    return {name: text.strip() for name, text in cells.items()}


def _read_parquet(table: Path) -> TableRows:
    import pyarrow
    from pyarrow import parquet

    try:
        with table.open("rb") as file:
            content = parquet.read_table(file)
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise UserError(f"--data {table}: cannot be read ({reason})") from error
    except pyarrow.ArrowException as error:
        raise UserError(
            f"--data {table}: is no Parquet ({first_line(error)}); write it again"
        ) from error
    rows = [
        (number, {name: _as_text(value) for name, value in row.items()})
        for number, row in enumerate(content.to_pylist(), start=1)
    ]
    return TableRows(content.column_names, rows, "row")


def _as_text(value: Any) -> str:
    """As CSV would have it: nothing where there is no value, several labels with `;` between."""
    if value is None:
        return ""
    return ";".join(map(str, value)) if isinstance(value, list) else str(value).strip()
