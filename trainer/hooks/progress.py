"""What a terminal shows of training: a live line, and a line an epoch."""

from __future__ import annotations

import logging

from trainer.core.progress import Progress
from trainer.loop.history import EpochRecord
from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer
from trainer.loop.triggers import EverySeconds
from trainer.report.display import format_metrics

logger = logging.getLogger(__name__)

SECONDS_PER_REFRESH = 0.25
"""How often the live line changes."""


class ShowProgress(Hook):
    """Shows in a live line where training is, its metrics of this epoch and its speed."""

    def __init__(self, report: Progress) -> None:
        """Show it in a progress bar."""
        self.when = EverySeconds(SECONDS_PER_REFRESH)
        self._report = report

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Refresh the line."""
        metrics = format_metrics(trainer.train_metrics.result(), trainer.train_metrics.names)
        speed = f"{output.examples_per_second:,.0f} images/s"
        self._report(output.last, trainer.total_steps, f"{metrics}  {speed}")


class LogEpoch(Hook):
    """Logs a line an epoch."""

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Log training beside validation."""
        epochs = trainer.config.epochs
        names = trainer.train_metrics.names
        splits = (f"{split} {format_metrics(m, names)}" for split, m in record.metrics.items())
        number = f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  step {record.step}"
        logger.info("  ".join([number, *splits]))
