"""`--patience`: ending training without progress."""

from __future__ import annotations

from trainer.loop.history import EpochRecord, best_record
from trainer.loop.trainer import Hook, Trainer


class EarlyStopping(Hook):
    """Stops after so many epochs without a better validation, as `best_record` compares them.

    It has no state of its own: everything is in the history.
    """

    def __init__(self, patience: int) -> None:
        """Wait for so many epochs."""
        self._patience = patience

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Stop if the best epoch is too long ago."""
        best = trainer.history.index(best_record(trainer.history, trainer.task.best))
        if len(trainer.history) - 1 - best >= self._patience:
            trainer.stop(f"--patience {self._patience}")
