"""What training came to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from trainer.loop.history import EpochRecord
from trainer.results.evaluation import EvaluatedSplits


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What training came to."""

    stopped: str | None
    history: Sequence[EpochRecord]
    best_step: int
    evaluated: EvaluatedSplits
    """The splits with the best weights by validation."""

    weights_digest: str

    def as_json(self) -> dict[str, Any]:
        """What result.json says of it."""
        last = self.history[-1]
        return {
            "stopped": self.stopped,
            "epochs": last.epoch,
            "steps": last.step,
            "best_step": self.best_step,
            "metrics": self.evaluated.metrics,
            "calibration": self.evaluated.calibration,
            "weights_digest": self.weights_digest,
        }
