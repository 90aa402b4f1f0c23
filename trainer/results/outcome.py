"""What training came to, and its table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.loop.history import EpochRecord
from trainer.report.display import Table
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


def metrics_table(result: Mapping[str, Any]) -> Table:
    """A row for each split, without metrics of single classes."""
    # Those of single classes, "recall/rose", are in result.json: a line has no room for them.
    reported = {name for name in result["metrics"]["test"] if "/" not in name}
    rows = {
        split: {"images": f"{result['data']['examples'][split]:,}"}
        | {name: f"{value:.4f}" for name, value in metrics.items() if name in reported}
        for split, metrics in result["metrics"].items()
    }
    return Table("split", rows)
