"""What each epoch came to, and which was the best."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from trainer.core.errors import UserError


@dataclasses.dataclass(frozen=True)
class EpochRecord:
    """The metrics at the end of an epoch."""

    epoch: int
    """Its number, 1 for the first; a stop may have cut the last one short."""

    step: int
    learning_rate: float
    metrics: Mapping[str, Mapping[str, float]]
    """By split (train, streamed over the epoch, and validation), then by name."""

    def as_row(self) -> dict[str, Any]:
        """A row of history.csv."""
        row: dict[str, Any] = {
            "epoch": self.epoch,
            "step": self.step,
            "learning_rate": self.learning_rate,
        }
        for split, metrics in self.metrics.items():
            row |= {f"{split}_{name}": value for name, value in metrics.items()}
        return row


def best_record(history: Sequence[EpochRecord], best: str | None = None) -> EpochRecord:
    """The epoch whose weights are the best: of equals that with the lowest loss, then the first.

    Args:
        history: The records of all epochs.
        best: What it has on validation, as `Task.best`.
    """

    def score(record: EpochRecord) -> tuple[float, float]:
        validation = record.metrics["validation"]
        direction, name = parse_best(best, validation)
        value = (1 if direction == "max" else -1) * validation[name]
        return -math.inf if math.isnan(value) else value, -validation["loss"]

    return max(history, key=score)


def parse_best(best: str | None, metrics: Collection[str]) -> tuple[str, str]:
    """The direction, "max" or "min", and the metric of `Task.best`.

    Raises:
        UserError: it is of another form, or there is no such metric.
    """
    if best is None:
        return ("max", "accuracy") if "accuracy" in metrics else ("min", "loss")
    direction, _, name = best.partition(" ")
    if direction not in ("max", "min") or name not in metrics:
        raise UserError(
            f"the task's best = {best!r} must be max or min and a metric of validation, as"
            f' "min loss"; there are {", ".join(metrics)}'
        )
    return direction, name
