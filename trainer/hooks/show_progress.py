"""The live line of training."""

from __future__ import annotations

from trainer.core.progress import Progress
from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer
from trainer.loop.triggers import EverySeconds
from trainer.report.display import format_metrics

SECONDS_PER_REFRESH = 0.25
"""How often the line changes."""


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
