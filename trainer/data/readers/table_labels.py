"""Labels in the cells of a table: classes, several labels, numbers."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trainer.core.errors import UserError
from trainer.data.labels import from_columns
from trainer.data.readers.table_rows import Cells
from trainer.task import LabelKind, LabelKinds

SEPARATORS = re.compile("[;|]")
"""What stands between the labels of one image."""

LABEL = "label"
"""The column of the one output that most tasks have."""

OTHER_COLUMNS = ("path", "split", "group", "weight")


@dataclasses.dataclass(frozen=True)
class LabelColumns:
    """The columns with the labels of one output."""

    columns: tuple[str, ...]
    kind: LabelKind

    def error(self, cells: Cells) -> str | None:
        """What is wrong with a row's labels, if anything is."""
        texts = [cells[column] for column in self.columns]
        if self.kind == "class":
            return None if texts[0] else f"the {self.columns[0]} is empty"
        if self.kind == "numbers":
            bad = [text for text in texts if not _is_number(text)]
            return f"{bad[0]!r} is no finite number" if bad else None
        return None

    def names(self, rows: Sequence[Cells]) -> tuple[str, ...]:
        """The classes or labels that rows have, sorted; of numbers the columns."""
        if self.kind == "numbers":
            return self.columns
        return tuple(sorted({name for cells in rows for name in self._named(cells)}))

    def array(self, rows: Sequence[Cells], names: Sequence[str]) -> np.ndarray:
        """Classes int32 [rows]; or of each name 1, 0 or the number, float32 [rows, names]."""
        if self.kind == "numbers":
            texts = [[float(cells[column]) for column in self.columns] for cells in rows]
            return np.array(texts, np.float32).reshape(len(rows), len(self.columns))
        position = {name: number for number, name in enumerate(names)}
        if self.kind == "class":
            return np.array(
                [position[name] for cells in rows for name in self._named(cells)], np.int32
            )
        labels = np.zeros([len(rows), len(names)], np.float32)
        for number, cells in enumerate(rows):
            labels[number, [position[name] for name in self._named(cells)]] = 1
        return labels

    def _named(self, cells: Cells) -> list[str]:
        text = cells[self.columns[0]]
        if self.kind == "class":
            return [text]
        return [name.strip() for name in SEPARATORS.split(text) if name.strip()]


def label_columns(table: Path, header: Sequence[str], kinds: LabelKinds) -> dict[str, LabelColumns]:
    """The columns of each output, by its name; a single output is called LABEL.

    Raises:
        UserError: one is missing, or there is a column that nothing takes.
    """
    outputs = _outputs(header, kinds)
    wanted = ["path", *(column for output in outputs.values() for column in output.columns)]
    for column in wanted:
        if column not in header:
            found = ", ".join(header) or "none"
            raise UserError(
                f"--data {table}: there is no column {column}, only {found}; the first line must"
                f" name the columns: {','.join(wanted)}"
            )
    unknown = [name for name in header if name not in (*wanted, *OTHER_COLUMNS)]
    if unknown:
        expected = ", ".join(dict.fromkeys([*wanted, *OTHER_COLUMNS]))
        raise UserError(
            f"--data {table}: the column {unknown[0]} is unknown; remove it (there may be"
            f" {expected})"
        )
    return outputs


def labels_of(
    outputs: Mapping[str, LabelColumns], rows: Sequence[Cells], names: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """The labels of rows, as one array; of several outputs with a field for each."""
    arrays = {name: output.array(rows, names[name]) for name, output in outputs.items()}
    return arrays[LABEL] if list(arrays) == [LABEL] else from_columns(arrays)


def _outputs(header: Sequence[str], kinds: LabelKinds) -> dict[str, LabelColumns]:
    if not isinstance(kinds, str):
        return {name: LabelColumns((name,), kind) for name, kind in kinds.items()}
    others = tuple(name for name in header if name not in OTHER_COLUMNS)
    if kinds == "numbers" and LABEL not in header and others:
        return {LABEL: LabelColumns(others, kinds)}
    return {LABEL: LabelColumns((LABEL,), kinds)}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(np.float32(text))  # in which labels are kept
    except ValueError:
        return False
