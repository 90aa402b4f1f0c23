"""All that training resumes from: its variables, and where it is."""

from __future__ import annotations

import collections
import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from trainer.checkpoints.batch_specs import spec_as_json
from trainer.checkpoints.best_weights import BestWeights
from trainer.checkpoints.environment import differences
from trainer.checkpoints.layer_names import variables_by_name
from trainer.checkpoints.own_variables import (
    check_all_are_kept,
    in_tensorflow,
    own_variables,
)
from trainer.checkpoints.replica_metrics import PARTS, ReplicaMetrics, saved_parts
from trainer.checkpoints.store import Checkpoint, restore_variables, write_checkpoint
from trainer.core.errors import DivergedError, UserError
from trainer.core.run_folder import RunFolder
from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Hook, Trainer
from trainer.report.clock import Clock
from trainer.report.event_files import event_file_sizes, truncate_event_files

logger = logging.getLogger(__name__)


class TrainingState:
    """A trainer and its hooks, the best weights, and what a run has written so far.

    Two runs of one config that are brought to the same state end with the same bits.
    """

    def __init__(
        self, trainer: Trainer, folder: RunFolder, clock: Clock, environment: Mapping[str, Any]
    ) -> None:
        """Trace the trainer's steps, so that all variables exist.

        Args:
            trainer: Before its first step.
            folder: Where the run writes.
            clock: What the run has taken so far.
            environment: What the bits of a run depend on beside its config, as JSON takes it.

        Raises:
            TypeError: the training step writes variables that no checkpoint would hold.
        """
        trainer.build()
        own = own_variables(trainer)
        check_all_are_kept(trainer, own.values())
        self._trainer, self._folder, self._clock = trainer, folder, clock
        self._environment = environment
        self.hooks: Sequence[Hook] = ()
        self.saved = "nothing is saved"
        """What a run can resume from, in words."""
        self.best = BestWeights(trainer.model)
        self._own = {name: in_tensorflow(variable) for name, variable in own.items()}
        self._metrics = ReplicaMetrics(trainer.train_metrics.variables, trainer.strategy)

    def save(self) -> None:
        """Write it as the newest checkpoint.

        Raises:
            UserError: it cannot be written; those before are as they were.
            DivergedError: weights are not finite.
        """
        step = self._trainer.step
        if not _all_finite(self._trainer.model.trainable_variables):
            raise DivergedError(f"after step {step} there are weights that are not finite")
        if self._trainer.summaries is not None:
            self._trainer.summaries.flush()
        parts = self._metrics.read()
        if self._trainer.workers.is_chief:
            variables = self._variables(parts)
            write_checkpoint(self._folder.checkpoints, step, variables, self._metadata())
        self.saved = f"step {step} is saved"

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to where a checkpoint was written.

        A line is logged for each reason why the run may end with other bits than it would have.

        Raises:
            UserError: the checkpoint is of another model, of other data or hooks, or behind the
                last step.
        """
        trainer, training = self._trainer, checkpoint.training
        for difference in differences(training["environment"], self._environment):
            logger.warning(difference)
        parts = saved_parts(checkpoint.variables)
        restore_variables(checkpoint, self._variables(parts))
        self._metrics.write(parts)
        _restore_hooks(self.hooks, training["hooks"])
        trainer.step = training["step"]
        self.saved = f"step {trainer.step} is saved"
        trainer.history = [EpochRecord(**record) for record in training["history"]]
        if trainer.step > trainer.total_steps:
            begun = -(-trainer.step // trainer.steps_per_epoch)
            raise UserError(
                f"--epochs {trainer.config.epochs}: the run is in epoch {begun} already; choose as"
                " many, or more to continue"
            )
        if training["stopping"] == trainer.config.stopping:
            trainer.stopped = training["stopped"]
        self._clock.add(training["seconds"])

    def truncate_events(self, checkpoint: Checkpoint | None) -> None:
        """Cut TensorBoard's files back to a checkpoint; to nothing, where there is none."""
        sizes = checkpoint.training["event_files"] if checkpoint else {}
        truncate_event_files(self._folder.path, sizes)

    def _variables(self, metric_parts: Sequence[tf.Variable]) -> tf.train.Checkpoint:
        trainer = self._trainer
        of_replicas = {PARTS: list(metric_parts)} if metric_parts else {}
        return tf.train.Checkpoint(
            # By names, by which another run finds its own layers (`--init-from`). The model's
            # `variables` hold the seeds of its dropout too, which its `weights` do not.
            model={name: v.value for name, v in variables_by_name(trainer.model).items()},
            best=self.best.variables,
            # By position: Keras numbers their names over all models that a process makes.
            optimizer=[variable.value for variable in trainer.optimizer.variables],
            metrics=self._metrics.variables,
            own=self._own,
            **of_replicas,
        )

    def _metadata(self) -> dict[str, Any]:
        return {
            "step": self._trainer.step,
            "history": [dataclasses.asdict(record) for record in self._trainer.history],
            "stopped": self._trainer.stopped,
            "stopping": self._trainer.config.stopping,
            "seconds": self._clock.seconds,
            "event_files": event_file_sizes(self._folder.path),
            "environment": self._environment,
            "batch_spec": spec_as_json(self._trainer.batches["train"].batch_spec),
            "hooks": {name: hook.state_dict() for name, hook in _named(self.hooks)},
        }


def _restore_hooks(hooks: Iterable[Hook], states: Mapping[str, dict[str, Any]]) -> None:
    """Give hooks their states.

    Raises:
        UserError: a hook that has state is missing.
    """
    present = dict(_named(hooks))
    for name, state in states.items():
        if name in present:
            present[name].load_state_dict(state)
        elif state:
            raise UserError(
                f"the checkpoint holds the state of a hook {name}, which this run does not have;"
                " resume with the hooks that the run began with"
            )
        elif not name.startswith("trainer.hooks."):  # ours come and go by their options
            logger.warning("the run began with a hook %s: without it the weights may differ", name)


def _named(hooks: Iterable[Hook]) -> Iterable[tuple[str, Hook]]:
    """Hooks by their classes; the second of a class has a number."""
    count: collections.Counter[str] = collections.Counter()
    for hook in hooks:
        name = f"{type(hook).__module__}:{type(hook).__qualname__}"
        count[name] += 1
        yield (name if count[name] == 1 else f"{name}-{count[name]}"), hook


def _all_finite(variables: Iterable[Any]) -> bool:
    return all(bool(tf.reduce_all(tf.math.is_finite(variable.value))) for variable in variables)
