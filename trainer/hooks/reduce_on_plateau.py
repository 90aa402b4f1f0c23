"""`--schedule plateau`: a lower learning rate where validation stops improving."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.loop.history import EpochRecord, best_record
from trainer.loop.trainer import Hook, Trainer

FACTOR = 0.1
"""What the learning rate is multiplied by."""


class ReduceOnPlateau(Hook):
    """Reduces the learning rate after so many epochs without a better validation.

    It has no state of its own: the learning rate is the optimizer's, the epochs are in the history.
    """

    def __init__(self, patience: int) -> None:
        """Wait for so many epochs, before the first time and between two."""
        self._patience = patience

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Reduce it if the epochs that are waited for end with this one."""
        if waited_epochs(trainer.history, trainer.task.best, self._patience) == self._patience:
            trainer.optimizer.learning_rate.assign(FACTOR * trainer.learning_rate)


def waited_epochs(history: Sequence[EpochRecord], best: str | None, patience: int) -> int:
    """Epochs since the last better one, or since the last that completed so many of them.

    Args:
        history: The records of all epochs.
        best: What is better, as `best_record` takes it.
        patience: The number at which counting begins again.
    """
    waited = 0
    for number in range(1, len(history) + 1):
        is_better = best_record(history[:number], best) is history[number - 1]
        waited = 0 if is_better else waited % patience + 1
    return waited
