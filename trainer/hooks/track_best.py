"""The best weights by validation."""

from __future__ import annotations

from trainer.checkpoints.best_weights import BestWeights
from trainer.loop.history import EpochRecord, best_record
from trainer.loop.trainer import Hook, Trainer
from trainer.optimization.ema import ema_weights


class TrackBest(Hook):
    """Copies the weights of each epoch that is the best so far, averaged where the run averages."""

    def __init__(self, best: BestWeights) -> None:
        """Copy them to where the checkpoints find them."""
        self._best = best

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Copy the weights if no epoch before was as good."""
        if record is best_record(trainer.history, trainer.task.best):
            with ema_weights(trainer.model, trainer.optimizer):
                self._best.copy()
