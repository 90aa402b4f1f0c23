"""Checkpoints: everything that training goes on from, the last three and the best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from trainer.loop.averages import averaged
from trainer.loop.layer_names import variables_by_name

if TYPE_CHECKING:
    from trainer.loop.trainer import Trainer

KEPT = 3


class Checkpoints:
    """The checkpoints of one trainer: FOLDER/last/step-N (three) and FOLDER/best/step-N (one).

    TensorFlow writes a checkpoint beside its place, and names it the latest once it is whole.
    """

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        """Nothing is written yet."""
        trainer.build()
        self._trainer = trainer
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        checkpoint = tf.train.Checkpoint(
            step=self._step,
            # By names, which another run finds its own layers by (`--init-from`). The model's
            # `variables` hold the seeds of its dropout too, which its `weights` do not.
            model={name: v.value for name, v in variables_by_name(trainer.model).items()},
            # By position: Keras numbers their names over all models that a process makes.
            optimizer=[variable.value for variable in trainer.optimizer.variables],
            metrics=[variable.value for variable in trainer.train_metrics.variables],
        )
        self._last = _manager(checkpoint, folder / "last", KEPT)
        self._best = _manager(checkpoint, folder / "best", 1)

    def save(self) -> None:
        """Keep the trainer's present state as the last one."""
        self._save(self._last)

    def save_best(self) -> None:
        """Keep the trainer's present state as the best one: as evaluated, its weights averaged."""
        with averaged(self._trainer.model, self._trainer.optimizer):
            self._save(self._best)

    def restore_best(self) -> None:
        """Bring the trainer back to its best state, to the last variable."""
        path = self._best.latest_checkpoint
        self._best.checkpoint.restore(path).assert_consumed()
        self._trainer.step = int(self._step)

    def _save(self, manager: tf.train.CheckpointManager) -> None:
        self._step.assign(self._trainer.step)
        manager.save(checkpoint_number=self._trainer.step)


def _manager(
    checkpoint: tf.train.Checkpoint, folder: Path, kept: int
) -> tf.train.CheckpointManager:
    return tf.train.CheckpointManager(
        checkpoint, str(folder), max_to_keep=kept, checkpoint_name="step"
    )


def best_or_last(folder: Path) -> str | None:
    """The best checkpoint in a folder of checkpoints, else the last; None where there is none."""
    found = (tf.train.latest_checkpoint(str(folder / kind)) for kind in ("best", "last"))
    return next(filter(None, found), None)
