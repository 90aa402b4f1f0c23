"""All that training goes on from: its variables, and where it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from trainer.checkpoints.best_weights import BestWeights
from trainer.checkpoints.environment import differences
from trainer.checkpoints.layer_names import variables_by_name
from trainer.checkpoints.store import Checkpoint, restore_variables, write_checkpoint
from trainer.core.errors import DivergedError, UserError
from trainer.core.run_folder import RunFolder
from trainer.loop.history import EpochRecord
from trainer.report.clock import Clock
from trainer.report.event_files import event_file_sizes, truncate_event_files

if TYPE_CHECKING:
    from trainer.loop.trainer import Trainer


class TrainingState:
    """A trainer, the best of its weights, and what a run has written about it so far.

    Two runs of one config that are brought to the same state go on alike, to the last bit.
    """

    def __init__(
        self, trainer: Trainer, folder: RunFolder, clock: Clock, circumstances: Mapping[str, Any]
    ) -> None:
        """Trace the trainer's steps, so that all variables are there.

        Args:
            trainer: Before its first step.
            folder: Where the run writes.
            clock: What the run has taken so far.
            circumstances: What the bits of a run hang on beside its config, as JSON takes it.
        """
        trainer.build()
        self._trainer, self._folder, self._clock = trainer, folder, clock
        self._circumstances = circumstances
        self.kept = "nothing is kept"
        """What a run can go on from, in words."""
        self.best = BestWeights(trainer.model)
        self._variables = tf.train.Checkpoint(
            # By names, which another run finds its own layers by (`--init-from`). The model's
            # `variables` hold the seeds of its dropout too, which its `weights` do not.
            model={name: v.value for name, v in variables_by_name(trainer.model).items()},
            best=self.best.variables,
            # By position: Keras numbers their names over all models that a process makes.
            optimizer=[variable.value for variable in trainer.optimizer.variables],
            metrics=[variable.value for variable in trainer.train_metrics.variables],
        )

    def save(self) -> None:
        """Keep it as the newest checkpoint.

        Raises:
            UserError: it cannot be written; those before are as they were.
            DivergedError: it is not worth keeping.
        """
        step = self._trainer.step
        if not _all_finite(self._trainer.model.trainable_variables):
            raise DivergedError(f"after step {step} there are weights that are not finite")
        write_checkpoint(self._folder.checkpoints, step, self._variables, self._metadata())
        self.kept = f"step {step} is kept"

    def restore(self, checkpoint: Checkpoint) -> list[str]:
        """Go back to where a checkpoint was written.

        Returns a line for each reason why the run may go on with other bits than it would have.

        Raises:
            UserError: the checkpoint is of another model or other data, or behind the last step.
        """
        trainer, training = self._trainer, checkpoint.training
        told = list(differences(training["circumstances"], self._circumstances))
        restore_variables(checkpoint, self._variables)
        trainer.step = training["step"]
        self.kept = f"step {trainer.step} is kept"
        trainer.history = [EpochRecord(**record) for record in training["history"]]
        if trainer.step > trainer.total_steps:
            begun = -(-trainer.step // trainer.steps_per_epoch)
            raise UserError(
                f"--epochs {trainer.config.epochs}: the run is in epoch {begun} already; give as"
                " many, or more to go on"
            )
        if training["stopping"] == trainer.config.stopping:
            trainer.stopped = training["stopped"]
        self._clock.add(training["seconds"])
        return told

    def truncate_events(self, checkpoint: Checkpoint | None) -> None:
        """Cut TensorBoard's files back to a checkpoint; to nothing, where there is none."""
        sizes = checkpoint.training["event_files"] if checkpoint else {}
        truncate_event_files(self._folder.path, sizes)

    def _metadata(self) -> dict[str, Any]:
        return {
            "step": self._trainer.step,
            "history": [dataclasses.asdict(record) for record in self._trainer.history],
            "stopped": self._trainer.stopped,
            "stopping": self._trainer.config.stopping,
            "seconds": self._clock.seconds,
            "event_files": event_file_sizes(self._folder.path),
            "circumstances": self._circumstances,
        }


def _all_finite(variables: list[Any]) -> bool:
    return all(bool(tf.reduce_all(tf.math.is_finite(variable.value))) for variable in variables)
