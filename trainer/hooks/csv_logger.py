"""history.csv: the metrics of every epoch."""

from __future__ import annotations

from pathlib import Path

from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Hook, Trainer
from trainer.report.result import write_history


class CSVLogger(Hook):
    """Writes the whole table again with every epoch."""

    def __init__(self, path: Path) -> None:
        """Write it to a file."""
        self._path = path

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Write a row for each epoch so far."""
        write_history(self._path, [each.as_row() for each in trainer.history])
