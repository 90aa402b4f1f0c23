"""After training on several replicas: the same trainer on this device alone.

What follows training, tests, reports and predictions, is then as after training on one device, and
each worker of a run can do it by itself.
"""

from __future__ import annotations

from trainer.checkpoints.layer_names import variables_by_name
from trainer.checkpoints.own_variables import own_variables
from trainer.checkpoints.training_state import TrainingState
from trainer.data.splits import Source
from trainer.distribution.replicas import is_default
from trainer.loop.trainer import Trainer
from trainer.setup.batches import BatchFactory


def on_one_device(trainer: Trainer, state: TrainingState, source: Source) -> Trainer:
    """A trainer with the same weights, and whatever else a subclass keeps; itself on one device.

    Args:
        trainer: After training.
        state: Its best weights, which are the new trainer's from then on.
        source: The data, of which a worker has had its rows alone.
    """
    if is_default(trainer.strategy):
        return trainer
    factory = BatchFactory(trainer.config, trainer.task.channels)  # with a network of its own
    has_all = all(b.rows.count == b.batch_size for b in trainer.batches.values())
    batches = trainer.batches if has_all else factory.batches(source)
    alone = type(trainer)(trainer.task, trainer.config, trainer.classes, batches, factory.layer)
    alone.step, alone.history, alone.stopped = trainer.step, trainer.history, trainer.stopped
    alone.summaries = trainer.summaries
    before, now = own_variables(trainer), own_variables(alone)
    before.update(variables_by_name(trainer.model))
    for name, variable in {**now, **variables_by_name(alone.model)}.items():
        if name in before:
            variable.assign(before[name].numpy())
    state.best.model = alone.model
    return alone
