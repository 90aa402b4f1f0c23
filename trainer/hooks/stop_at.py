"""`--stop-at`: ending training when metrics reach their bounds."""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence

import numpy as np

from trainer.config import conditions
from trainer.core.errors import UserError
from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Hook, Trainer

COMPARISONS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}


class StopAt(Hook):
    """Stops at the end of the first epoch whose metrics meet all conditions."""

    def __init__(self, trainer: Trainer, texts: Sequence[str]) -> None:
        """Conditions as `trainer.config.conditions` parses them.

        Raises:
            UserError: the trainer has no such metric; with those that it has.
        """
        self._conditions = [conditions.parse("--stop-at", text) for text in texts]
        trainer.build()
        known = {
            "train": trainer.train_metrics.result(),
            "validation": trainer.eval_metrics.result(),
        }
        for condition in self._conditions:
            _require_metric(condition, known[condition.split])

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Stop if all of them are met."""
        if all(_is_met(condition, record) for condition in self._conditions):
            trainer.stop(f"--stop-at {' '.join(each.text for each in self._conditions)}")


def _require_metric(condition: conditions.Condition, names: Collection[str]) -> None:
    if condition.metric not in names:
        raise UserError(
            f"--stop-at {condition.text}: {condition.split} has no metric {condition.metric!r};"
            f" there are {', '.join(names)}"
        )


def _is_met(condition: conditions.Condition, record: EpochRecord) -> bool:
    # Metrics are float32, in which nine of ten are a little less than 0.9 is as a Python float.
    value = np.float32(record.metrics[condition.split][condition.metric])
    return bool(COMPARISONS[condition.comparison](value, np.float32(condition.bound)))
