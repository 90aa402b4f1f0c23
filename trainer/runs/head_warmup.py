"""The first stage of fine-tuning: the head learns alone, on the features of the frozen extractor.

Without it the first steps, of a head with random weights, would destroy what the extractor has
learned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from trainer.config.config import Config
from trainer.core.progress import progress_bar
from trainer.distribution.variables import variables_of
from trainer.hooks.progress import LogEpoch, ShowProgress
from trainer.hooks.terminate_on_nan import TerminateOnNaN
from trainer.loop.batches import Batches
from trainer.loop.history import EpochRecord, best_record
from trainer.loop.trainer import Hook, Trainer


def warm_up_head(trainer: Trainer, features: Mapping[str, Batches]) -> None:
    """Give a trainer's head the weights that it has after `--warmup-epochs` of its own.

    When these are not given, it learns until its validation loss rises: a head that knows its
    examples by heart has no gradients left from which the network below it could learn.

    The weights follow from the config; nothing else of this stage is kept.

    Args:
        trainer: Of the whole model, before its first step.
        features: The splits through the extractor as it was loaded.
    """
    with variables_of(trainer.strategy):
        alone = type(trainer)(trainer.task, _head_config(trainer.config), trainer.classes, features)
    # The whole model's last weights are its head's.
    head = trainer.model.weights[-len(alone.model.weights) :]
    pairs = list(zip(head, alone.model.weights, strict=True))
    for weight, learner in pairs:
        learner.assign(weight)
    stopping = [StopAtLowestLoss()] if trainer.config.warmup_epochs is None else []
    with progress_bar("warming up the head", "steps") as report:
        alone.fit([ShowProgress(report), LogEpoch(), TerminateOnNaN(), *stopping])
    for weight, learner in pairs:
        weight.assign(learner)


class StopAtLowestLoss(Hook):
    """Stops once the validation loss rises, with the weights that the model had before."""

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Keep the weights, or stop."""
        weights = trainer.model.weights
        if record is best_record(trainer.history, "min loss"):
            self._best = [weight.numpy() for weight in weights]
            return
        for weight, value in zip(weights, self._best, strict=True):
            weight.assign(value)
        trainer.stop("its validation loss rises")


def _head_config(config: Config) -> Config:
    """Training the head alone: on a frozen extractor, at the head's own learning rate."""
    return dataclasses.replace(
        config,
        transfer="frozen",
        epochs=config.head_epochs,
        schedule=config.rate_schedule,
        steps_per_epoch=None,
        warmup_epochs=None,
        warmup="0",
        accumulate=1,
        init_from=None,
        unfreeze_from=None,
        batch_norm=None,
        layer_decay=1.0,
        unfreeze_gradually=False,
    )
