"""A line an epoch."""

from __future__ import annotations

import logging

from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Hook, Trainer
from trainer.report.display import format_metrics

logger = logging.getLogger(__name__)


class LogEpoch(Hook):
    """Logs a line an epoch."""

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Log training beside validation."""
        epochs = trainer.config.epochs
        names = trainer.train_metrics.names
        splits = (f"{split} {format_metrics(m, names)}" for split, m in record.metrics.items())
        number = f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  step {record.step}"
        logger.info("  ".join([number, *splits]))
