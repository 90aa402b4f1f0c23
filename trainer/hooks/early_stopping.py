"""`--patience`: ending training without progress."""

from __future__ import annotations

from trainer.loop.history import EpochRecord, best_record
from trainer.loop.trainer import Hook, Trainer


class EarlyStopping(Hook):
    """Stops after so many epochs without a better validation, as `best_record` compares them.

    It has no state of its own: everything is in the history.
    """

    def __init__(self, patience: int, best: str | None = None) -> None:
        """Wait for so many epochs.

        Args:
            patience: How many.
            best: What a better validation has, "min loss" say; as the task says where None.
        """
        self._patience, self._best = patience, best

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Stop if the best epoch is too long ago."""
        best = best_record(trainer.history, self._best or trainer.task.best)
        if len(trainer.history) - 1 - trainer.history.index(best) >= self._patience:
            trainer.stop(f"--patience {self._patience}")
