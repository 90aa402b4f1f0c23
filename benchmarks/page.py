"""docs/benchmarks.md: prose written by hand, and tables between marks that results fill.

    <!-- head -->
    tables
    <!-- /head -->

`python -m benchmarks.page RESULTS` fills them from saved results, without measuring.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import CHECKOUT
from benchmarks.results import Result, Results, Table, claim_table, load_results, run_table
from trainer import UserError, command_line
from trainer.core import atomic

PAGE = CHECKOUT / "docs" / "benchmarks.md"


def fill_page(page: Path, results: Results) -> None:
    """Put the tables of some benchmarks into the page; all else in it stays.

    Raises:
        UserError: the page has no marks for one of them.
    """
    text = page.read_text(encoding="utf-8")
    for name, result in results.items():
        text = replace_section(text, name, markdown_tables(result))
    atomic.write_text(page, text)


def check_sections(page: Path, names: Sequence[str]) -> None:
    """Look for the marks of these benchmarks.

    Raises:
        UserError: the page has none for one of them.
    """
    text = page.read_text(encoding="utf-8")
    for name in names:
        replace_section(text, name, "")


def replace_section(text: str, name: str, content: str) -> str:
    """The text, with this content between the marks of a name.

    Raises:
        UserError: the marks are not there.
    """
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    filled, found = marks.subn(lambda mark: f"{mark[1]}{content}{mark[2]}", text, count=1)
    if not found:
        raise UserError(f"the page has no <!-- {name} --> and <!-- /{name} -->; put them back")
    return filled


def markdown_tables(result: Result) -> str:
    """Its two tables, and what they depend on."""
    tables = (
        _table("medians", run_table(result)),
        _table("claim", claim_table(result)),
    )
    return "\n".join([*tables, f"{result.environment}\n"])


def _table(first_column: str, table: Table) -> str:
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    lines = [
        [first_column, *columns],
        ["---", *("---:" for _ in columns)],
        *([name, *(row.get(column, "") for column in columns)] for name, row in table.items()),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main(arguments: Sequence[str]) -> None:
    """Fill the page from a file of results.

    Raises:
        UserError: none is named, or it is not one.
    """
    if len(arguments) != 1:
        raise UserError("name the file of results: python -m benchmarks.page RESULTS")
    fill_page(PAGE, load_results(Path(arguments[0])))


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
