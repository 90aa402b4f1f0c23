"""The first stage of fine-tuning: the head learns alone, on the features of the frozen extractor.

Else the first steps, of a head that knows nothing yet, would unlearn what the extractor knows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import keras

from trainer.config.config import Config
from trainer.hooks.standard import Evaluate, LogEpoch, ShowProgress
from trainer.loop.batches import Batches
from trainer.loop.trainer import Trainer
from trainer.loop.triggers import EverySteps
from trainer.report.progress import Display


def warm_up(
    trainer: Trainer, config: Config, features: Mapping[str, Batches], display: Display
) -> None:
    """Give a trainer's head the weights that it learns alone in `--warmup-epochs`.

    They follow from the config, and nothing of this stage is kept beside them.

    Args:
        trainer: Of the whole model; its optimizer has not seen a step.
        config: The run's, with the head's own step size.
        features: The splits through the extractor as it was loaded.
        display: Is told of every epoch.
    """
    of_head = dataclasses.replace(
        config,
        transfer="frozen",
        epochs=config.warmup_epochs,
        steps_per_epoch=None,
        warmup_epochs=0,
        warmup="0",
        accumulate=1,
        init_from=None,  # the whole model has taken its weights, the head's among them
        unfreeze_from=None,
    )
    alone = type(trainer)(trainer.task, of_head, trainer.classes, features, display.say)
    heads = list(zip(_last(trainer, alone), alone.model.weights, strict=True))
    for weight, learner in heads:
        learner.assign(weight)
    each_epoch = EverySteps(alone.steps_per_epoch)
    with display.bar("warming up the head", "steps") as bar:
        alone.fit([ShowProgress(bar), Evaluate(each_epoch), LogEpoch(each_epoch, display)])
    for weight, learner in heads:
        weight.assign(learner)


def _last(trainer: Trainer, alone: Trainer) -> Sequence[keras.Variable]:
    """The weights of the whole model that are those of the head alone: the last."""
    return trainer.model.weights[-len(alone.model.weights) :]
