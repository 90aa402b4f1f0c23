"""What each epoch came to, and which was the best."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class EpochRecord:
    """The metrics at the end of an epoch."""

    epoch: int
    """Its number, 1 for the first; a stop may have cut the last one short."""

    step: int
    learning_rate: float
    metrics: Mapping[str, Mapping[str, float]]
    """By split (train, streamed over the epoch, and validation), then by name."""

    @property
    def score(self) -> tuple[float, float]:
        """What the best epoch has most of: validation accuracy if there is one, then low loss."""
        validation = self.metrics["validation"]
        return validation.get("accuracy", 0.0), -validation["loss"]

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


def best_record(history: list[EpochRecord]) -> EpochRecord:
    """The epoch whose checkpoint is kept as the best: of equals, the first."""
    return max(history, key=lambda record: record.score)
