"""Predictions as they come: lines of JSON or of CSV, or a table at the end."""

from __future__ import annotations

import csv
import json
import logging
from typing import Any, Protocol, TextIO

from trainer.trained.predictions import Predictions, concatenated, flat_row

logger = logging.getLogger(__name__)


class PredictionWriter(Protocol):
    """Writes the predictions of one batch of images after the other."""

    def write(self, predictions: Predictions) -> None:
        """Write a batch."""

    def close(self) -> None:
        """Write what was kept until the end."""


class JsonLines:
    """A line of JSON for each image: its file, what is predicted, the scores."""

    def __init__(self, file: TextIO, top: int | None) -> None:
        """Write so many scores of each image, all when None."""
        self._file, self._top = file, top

    def write(self, predictions: Predictions) -> None:
        """Write a batch."""
        for row in predictions.rows(self._top):
            self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing is left."""


class CsvLines:
    """A line of CSV for each image, below a header."""

    def __init__(self, file: TextIO) -> None:
        """The header has what the first image has."""
        self._file = file
        self._table: csv.DictWriter[str] | None = None

    def write(self, predictions: Predictions) -> None:
        """Write a batch."""
        for row in predictions.rows():
            self._columns(flat_row(row)).writerow(flat_row(row))
        self._file.flush()

    def close(self) -> None:
        """Nothing is left."""

    def _columns(self, row: dict[str, Any]) -> csv.DictWriter[str]:
        if self._table is None:
            self._table = csv.DictWriter(self._file, list(row), lineterminator="\n")
            self._table.writeheader()
        return self._table


class TableAtTheEnd:
    """A table of all images."""

    def __init__(self, top: int) -> None:
        """Show so many classes of each image."""
        self._top, self._parts = top, list[Predictions]()

    def write(self, predictions: Predictions) -> None:
        """Keep a batch."""
        self._parts.append(predictions)

    def close(self) -> None:
        """Show the table."""
        if self._parts:
            logger.info(concatenated(self._parts).table(self._top))
