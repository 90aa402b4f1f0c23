"""Labels in a table as a source: labels.csv or labels.parquet, with a row for each image.

    path,label,split,group,weight
    photos/1.jpg,rose,train,garden 3,1
    photos/2.jpg,tulip,test,garden 7,0.5

`path` is relative to the table. `label` is a class; or labels separated by `;` or `|`, empty where
an image has none; or a number, in place of which there may be several columns of them. Of a task
with several outputs each has a column of its name. The other columns are optional. Without `split`,
or where validation or test is missing, they are cut from train; rows of one `group` are then never
torn between splits. `weight` is the weight of an image in losses and metrics.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.images.formats import file_error
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.readers.files_split import files_split
from trainer.data.readers.layout import split_name
from trainer.data.readers.partition import LabelledFile, file_digests, partition
from trainer.data.readers.table_labels import LABEL, LabelColumns, label_columns, labels_of
from trainer.data.readers.table_rows import Cells, TableRows, read_rows
from trainer.data.splits import Source, Split
from trainer.task import LabelKinds

LISTED_ROWS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row(LabelledFile):
    """One image of a table; the class by which it is divided is "" where labels are no classes."""

    number: int
    cells: Cells

    @property
    def split(self) -> str:
        """The split, whatever people call it; "" where the table has no such column."""
        given = self.cells.get("split", "")
        return split_name(given) or given

    @property
    def weight(self) -> float:
        """In float32; NaN where it is no number, and 1 where the table has no such column."""
        try:
            return float(np.float32(self.cells.get("weight", 1)))
        except ValueError:
            return math.nan


def table_source(
    table: Path, kinds: LabelKinds, cache: JsonCache = NO_CACHE, skip_unreadable: bool = False
) -> Source:
    """The images that a table lists.

    Args:
        table: A CSV file in UTF-8, with the names of its columns in the first line, or Parquet.
        kinds: What the task takes as the label of an image; of several outputs by output.
        cache: Keeps for later runs what needs a look into every file.
        skip_unreadable: Leave out the rows whose files are no images.

    Raises:
        UserError: it cannot be read, lacks a column, or has bad rows, which are named.
    """
    read = read_rows(table)
    outputs = label_columns(table, read.columns, kinds)
    rows, skipped = _drop_unreadable(_rows(table, read, outputs), skip_unreadable)
    _check_rows(table, read, rows, outputs)
    paths = list(dict.fromkeys(row.path for row in rows))
    digests = dict(zip(paths, file_digests(paths, cache), strict=True))
    by_split, cut = _rows_by_split(rows, digests)
    _check_groups(table, by_split, read.place)
    names = _names(table, rows, outputs)

    def split(name: str, found: Sequence[Row]) -> Split:
        labels = labels_of(outputs, [row.cells for row in found], names)
        weights = _weights(found) if "weight" in read.columns else None
        found_paths = [row.path for row in found]
        about = f"{table.name}/{name}"
        made = files_split(about, table.parent, found_paths, labels, lambda: digests, weights)
        groups = np.array([row.group for row in found]) if "group" in read.columns else None
        return dataclasses.replace(made, groups=groups)

    return Source(
        kind="table",
        name=str(table),
        version=None,
        classes=names[LABEL] if isinstance(kinds, str) else names,
        splits={name: split(name, found) for name, found in by_split.items()},
        cut=cut,
        skipped=skipped,
        label_kind=kinds,
    )


def _drop_unreadable(rows: list[Row], skip: bool) -> tuple[list[Row], dict[str, str]]:
    """The rows, without those whose files are no images if they are to be skipped, and these."""
    if not skip:
        return rows, {}
    skipped = {str(row.path): why for row in rows if (why := file_error(row.path))}
    return [row for row in rows if str(row.path) not in skipped], skipped


def _names(
    table: Path, rows: Sequence[Row], outputs: Mapping[str, LabelColumns]
) -> dict[str, tuple[str, ...]]:
    """The names of the classes, labels or numbers of every output."""
    cells = [row.cells for row in rows]
    names = {name: output.names(cells) for name, output in outputs.items()}
    if empty := [name for name, found in names.items() if not found]:
        raise UserError(f"--data {table}: no row has a {empty[0]}; add some")
    return names


def _rows(table: Path, read: TableRows, outputs: Mapping[str, LabelColumns]) -> list[Row]:
    of_classes = [output for output in outputs.values() if output.kind == "class"]
    return [
        Row(
            path=table.parent / cells["path"],
            class_name=cells[of_classes[0].columns[0]] if of_classes else "",
            group=cells.get("group", ""),
            number=number,
            cells=cells,
        )
        for number, cells in read.rows
    ]


def _check_rows(
    table: Path, read: TableRows, rows: Sequence[Row], outputs: Mapping[str, LabelColumns]
) -> None:
    """Refuse bad rows; the first ones are named.

    Raises:
        UserError: there are some, or there are no rows.
    """
    if not rows:
        raise UserError(f"--data {table}: has no rows below its first line; add one an image")
    has_splits = any(row.split for row in rows)
    bad = [(row, why) for row in rows if (why := _row_error(row, outputs, has_splits))]
    if bad:
        listed = "; ".join(f"{read.place} {row.number}: {why}" for row, why in bad[:LISTED_ROWS])
        more = f"; and {len(bad) - LISTED_ROWS:,} more" if len(bad) > LISTED_ROWS else ""
        raise UserError(f"--data {table}, {listed}{more}; fix or remove these rows")
    splits = {row.split for row in rows}
    if has_splits and "train" not in splits:
        raise UserError(
            f"--data {table}: no row has the split train, only {', '.join(splits)}; add some, or"
            " remove the column split"
        )


def _row_error(row: Row, outputs: Mapping[str, LabelColumns], has_splits: bool) -> str | None:
    for output in outputs.values():
        if problem := output.error(row.cells):
            return problem
    if has_splits and row.split not in SPLITS:
        return f"the split {row.split!r} is none of {', '.join(SPLITS)}"
    if not (math.isfinite(row.weight) and row.weight >= 0):
        return f"the weight {row.cells['weight']!r} is no number of 0 or more"
    problem = file_error(row.path)
    return problem and f"{row.path} {problem}"


def _rows_by_split(
    rows: Sequence[Row], digests: Mapping[Path, str]
) -> tuple[dict[str, Sequence[Row]], tuple[str, ...]]:
    """The rows of every split, and the splits that are cut from train."""
    given: dict[str, list[Row]] = {}
    for row in rows:
        given.setdefault(row.split or "train", []).append(row)
    missing = tuple(split for split in SPLITS if split not in given)
    if missing:
        train = given["train"]
        given |= partition(train, [digests[row.path] for row in train], missing)
    return {split: given[split] for split in SPLITS}, missing


def _check_groups(table: Path, by_split: Mapping[str, Sequence[Row]], place: str) -> None:
    """Refuse a group that the table's own splits tear.

    Raises:
        UserError: naming it, and two rows of it.
    """
    first: dict[str, tuple[str, Row]] = {}
    for split, rows in by_split.items():
        for row in rows:
            other, before = first.setdefault(row.group, (split, row))
            if row.group and other != split:
                raise UserError(
                    f"--data {table}, {place}s {before.number} and {row.number}: the group"
                    f" {row.group!r} is in {other} and in {split}; put all of it in one split"
                )


def _weights(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row.weight for row in rows], np.float32)
