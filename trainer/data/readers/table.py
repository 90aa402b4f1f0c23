"""Labels in a table as a source: labels.csv, with a row for each image.

    path,label,split,group
    photos/1.jpg,rose,train,garden 3
    photos/2.jpg,tulip,test,garden 7

`path` is relative to the table. `label` is a class; or labels separated by `;` or `|`, empty where
an image has none; or a number, in place of which there may be several columns of them. `split` is
optional: without it, or where validation or test is missing, they are cut from train. Rows of one
`group` are then never torn between splits.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.data import SPLITS
from trainer.data.images.formats import file_error
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.readers.layout import split_name
from trainer.data.readers.partition import assign_splits, file_digests, split_percents
from trainer.data.splits import CLASS_SPEC, Source, Split
from trainer.task import LabelKind

SEPARATORS = re.compile("[;|]")
"""What stands between the labels of one image."""

RESERVED = ("path", "label", "split", "group")
LISTED_ROWS = 3


@dataclasses.dataclass(frozen=True)
class Row:
    """One image of a table."""

    number: int
    """The line of the file that it ends on, as editors count them."""

    path: Path
    label: tuple[str, ...]
    """One class; the labels; or the numbers as they are written."""

    split: str
    """"" where the table has no such column."""

    group: str


def table_source(
    table: Path, kind: LabelKind, cache: JsonCache = NO_CACHE, skip_unreadable: bool = False
) -> Source:
    """The images that a table lists.

    Args:
        table: A CSV file in UTF-8, with the names of its columns in the first line.
        kind: What the task takes as the label of an image.
        cache: Keeps for later runs what needs a look into every file.
        skip_unreadable: Leave out the rows whose files are no images.

    Raises:
        UserError: it cannot be read, lacks a column, or has bad rows, which are named.
    """
    columns, rows = _read(table, kind)
    skipped: dict[str, str] = {}
    if skip_unreadable:
        skipped = {str(r.path): why for r in rows if (why := file_error(r.path))}
        rows = [row for row in rows if str(row.path) not in skipped]
    _check_rows(table, rows, kind)
    digests = _digests_by_path(rows, cache)
    by_split, cut = _rows_by_split(rows, digests, kind)
    _check_groups(table, by_split)
    names = _names(rows, columns, kind)
    if not names:
        raise UserError(f"--data {table}: no row has a label")
    return Source(
        kind="table",
        name=str(table),
        version=None,
        classes=names,
        splits={
            name: _split(table, name, found, _label_array(found, names, kind), digests)
            for name, found in by_split.items()
        },
        cut=cut,
        skipped=skipped,
        label_kind=kind,
    )


def _read(table: Path, kind: LabelKind) -> tuple[tuple[str, ...], list[Row]]:
    """The columns that labels come from, and the rows."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = _label_columns(table, reader.fieldnames or (), kind)
            return columns, [_row(table, reader.line_num, cells, columns, kind) for cells in reader]
    except OSError as error:
        raise UserError(f"--data {table}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--data {table}: is no CSV in UTF-8 ({error})") from error


def _label_columns(table: Path, header: Sequence[str], kind: LabelKind) -> tuple[str, ...]:
    others = tuple(name for name in header if name not in RESERVED)
    if twice := [name for name in header if header.count(name) > 1]:
        raise UserError(f"--data {table}: there are two columns {twice[0]}; remove one")
    if "path" not in header:
        raise UserError(
            f"--data {table}: there is no column path, only {', '.join(header) or 'none'};"
            " the first line must name the columns: path,label"
        )
    if kind == "numbers" and "label" not in header and others:
        return others
    if "label" not in header:
        raise UserError(f"--data {table}: there is no column label, only {', '.join(header)}")
    if others:
        raise UserError(
            f"--data {table}: the column {others[0]} is unknown; remove it (there may be"
            " path, label, split and group)"
        )
    return ("label",)


def _row(
    table: Path, number: int, cells: Mapping[str, str], columns: Sequence[str], kind: LabelKind
) -> Row:
    if None in cells or None in cells.values():
        raise UserError(f"--data {table}, line {number}: has not as many cells as the first line")
    values = [cells[column].strip() for column in columns]
    labels = values
    if kind == "labels":
        labels = [name.strip() for name in SEPARATORS.split(values[0]) if name.strip()]
    split = (cells.get("split") or "").strip()
    return Row(
        number=number,
        path=table.parent / cells["path"].strip(),
        label=tuple(labels),
        split=split_name(split) or split,
        group=(cells.get("group") or "").strip(),
    )


def _check_rows(table: Path, rows: Sequence[Row], kind: LabelKind) -> None:
    """Refuse bad rows; the first ones are named.

    Raises:
        UserError: there are some, or there are no rows.
    """
    if not rows:
        raise UserError(f"--data {table}: has no rows below its first line")
    has_splits = any(row.split for row in rows)
    bad = [(row, why) for row in rows if (why := _row_error(row, kind, has_splits))]
    if bad:
        listed = "; ".join(f"line {row.number}: {why}" for row, why in bad[:LISTED_ROWS])
        more = f"; and {len(bad) - LISTED_ROWS:,} more" if len(bad) > LISTED_ROWS else ""
        raise UserError(f"--data {table}, {listed}{more}; fix or remove these rows")
    splits = {row.split for row in rows}
    if has_splits and "train" not in splits:
        raise UserError(f"--data {table}: no row has the split train, only {', '.join(splits)}")


def _row_error(row: Row, kind: LabelKind, has_splits: bool) -> str | None:
    if kind == "class" and not row.label[0]:
        return "the label is empty"
    if kind == "numbers":
        for text in row.label:
            if not _is_number(text):
                return f"{text!r} is no finite number"
    if has_splits and row.split not in SPLITS:
        return f"the split {row.split!r} is none of {', '.join(SPLITS)}"
    problem = file_error(row.path)
    return problem and f"{row.path} {problem}"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(np.float32(text))  # in which labels are kept
    except ValueError:
        return False


def _digests_by_path(rows: Sequence[Row], cache: JsonCache) -> dict[Path, str]:
    paths = list(dict.fromkeys(row.path for row in rows))
    return dict(zip(paths, file_digests(paths, cache), strict=True))


def _rows_by_split(
    rows: Sequence[Row], digests: Mapping[Path, str], kind: LabelKind
) -> tuple[dict[str, list[Row]], tuple[str, ...]]:
    """The rows of every split, and the splits that are cut from train."""
    given: dict[str, list[Row]] = {}
    for row in rows:
        given.setdefault(row.split or "train", []).append(row)
    missing = tuple(split for split in SPLITS if split not in given)
    if missing:
        given |= _partition(given["train"], digests, missing, kind)
    return {split: given[split] for split in SPLITS}, missing


def _check_groups(table: Path, by_split: Mapping[str, Sequence[Row]]) -> None:
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
                    f"--data {table}, lines {before.number} and {row.number}: the group"
                    f" {row.group!r} is in {other} and in {split}; put all of it in one split"
                )


def _partition(
    rows: Sequence[Row], digests: Mapping[Path, str], missing: Sequence[str], kind: LabelKind
) -> dict[str, list[Row]]:
    """Rows divided by the content of their images, as those of a folder; a group stays together.

    Classes are each divided for themselves; other labels all together.
    """
    keys = {row.number: _group_key(row, digests) for row in rows}
    by_class: dict[str, set[str]] = {}
    for row in rows:
        by_class.setdefault(row.label[0] if kind == "class" else "", set()).add(keys[row.number])
    splits = assign_splits(by_class.values(), split_percents(missing))
    parts: dict[str, list[Row]] = {split: [] for split in split_percents(missing)}
    for row in sorted(rows, key=lambda row: (digests[row.path], row.label, row.path)):
        parts[splits[keys[row.number]]].append(row)
    return parts


def _group_key(row: Row, digests: Mapping[Path, str]) -> str:
    return fingerprint(["group", row.group]) if row.group else digests[row.path]


def _names(rows: Sequence[Row], columns: Sequence[str], kind: LabelKind) -> tuple[str, ...]:
    if kind == "numbers":
        return tuple(columns)
    return tuple(sorted({name for row in rows for name in row.label}))


def _label_array(rows: Sequence[Row], names: Sequence[str], kind: LabelKind) -> np.ndarray:
    """Classes, int32 [rows]; or for each name 1 or 0, or the number, float32 [rows, names]."""
    if kind == "numbers":
        return np.array([[float(text) for text in row.label] for row in rows], np.float32)
    position = {name: number for number, name in enumerate(names)}
    if kind == "class":
        return np.array([position[row.label[0]] for row in rows], np.int32)
    labels = np.zeros([len(rows), len(names)], np.float32)
    for number, row in enumerate(rows):
        labels[number, [position[name] for name in row.label]] = 1
    return labels


def _split(
    table: Path, name: str, rows: Sequence[Row], labels: np.ndarray, digests: Mapping[Path, str]
) -> Split:
    paths = [str(row.path) for row in rows]
    encoded_paths = [os.fsencode(path) for path in paths]
    states = [_state(row.path, table.parent) for row in rows]
    return Split(
        name=f"{table.name}/{name}",
        examples=len(rows),
        fingerprint=fingerprint([*states, labels.tolist()]),
        references=lambda: tf.data.Dataset.from_tensor_slices(
            (tf.constant(encoded_paths, tf.string), tf.constant(labels))
        ),
        read=tf.io.read_file,
        shuffle_buffer_size=len(rows),
        describe=paths.__getitem__,
        digests=functools.partial(_digests_in_order, rows, digests),
        label_spec=CLASS_SPEC if labels.ndim == 1 else tf.TensorSpec(labels.shape[1:], tf.float32),
    )


def _state(path: Path, folder: Path) -> list[str | int]:
    """What identifies a version of a file, which may lie anywhere, without reading it."""
    state = path.stat()
    return [os.path.relpath(path, folder), state.st_size, state.st_mtime_ns]


def _digests_in_order(rows: Sequence[Row], digests: Mapping[Path, str]) -> list[str]:
    return [digests[row.path] for row in rows]
