"""What the trials of a sweep came to: the best, means over seeds and folds, the tables."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainer.core import atomic
from trainer.report.display import Table
from trainer.sweeping.folder import DONE, FAILED, SweepFolder, TrialResult

SHOWN_POINTS = 20
"""Rows of the table that a terminal shows; sweep.csv has all."""


@dataclasses.dataclass(frozen=True)
class Objective:
    """By which metric of validation trials are compared."""

    metric: str
    is_maximized: bool

    def score(self, value: float) -> float:
        """The higher the better."""
        return (1 if self.is_maximized else -1) * value


@dataclasses.dataclass(frozen=True)
class PointResult:
    """The trials of one point together."""

    results: Sequence[TrialResult]

    @property
    def number(self) -> int:
        """The point's."""
        return self.results[0].trial.point

    @property
    def finished(self) -> list[TrialResult]:
        """The trials that have a value."""
        return [result for result in self.results if result.value is not None]

    @property
    def value(self) -> float | None:
        """The mean of their values; None where a trial has none, or was pruned."""
        if any(result.status != DONE for result in self.results):
            return None
        return statistics.fmean(result.value or 0.0 for result in self.results)

    def mean(self, metric: str) -> float:
        """The mean of a metric of validation."""
        return statistics.fmean(result.metrics[metric] for result in self.finished)

    def deviation(self, metric: str) -> float:
        """Its sample standard deviation; NaN of fewer than two trials."""
        values = [result.metrics[metric] for result in self.finished]
        return statistics.stdev(values) if len(values) > 1 else math.nan

    def options(self) -> Mapping[str, Any]:
        """The values of the point."""
        return self.results[0].trial.options


def by_point(results: Iterable[TrialResult]) -> list[PointResult]:
    """The results of each point that has some."""
    found: dict[int, list[TrialResult]] = {}
    for result in results:
        found.setdefault(result.trial.point, []).append(result)
    return [PointResult(of_one) for of_one in found.values()]


def ranked(points: Iterable[PointResult], objective: Objective, runs: int) -> list[PointResult]:
    """The points whose trials are all done, the best first.

    Of equals that with the lowest loss is better, then the first.

    Args:
        points: In any order.
        objective: What is compared.
        runs: The trials of a point.
    """
    whole = [p for p in points if p.value is not None and len(p.results) == runs]
    return sorted(
        whole,
        key=lambda p: (-objective.score(p.value or 0.0), p.mean("loss"), p.number),
    )


def best_trial(point: PointResult, objective: Objective) -> TrialResult:
    """The best trial of a point, by validation; of folds, which share no validation, the first."""
    if point.finished[0].trial.fold is not None:
        return point.finished[0]
    return min(
        point.finished,
        key=lambda r: (-objective.score(r.value or 0.0), r.metrics["loss"], r.trial.number),
    )


def write_table(folder: SweepFolder, results: Sequence[TrialResult]) -> None:
    """Replace sweep.csv: a row for each trial, in the order of their numbers."""
    rows = [_row(result) for result in sorted(results, key=lambda r: r.trial.number)]
    text = io.StringIO()
    names = dict.fromkeys(name for row in rows for name in row)
    columns = [*(name for name in names if name not in _LAST_COLUMNS), *_LAST_COLUMNS]
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    atomic.write_bytes(folder.table, text.getvalue().encode(errors="backslashreplace"))


def points_table(points: Sequence[PointResult], objective: Objective) -> Table:
    """Points as they are, with mean ± deviation of those that were trained more than once."""
    shown = [objective.metric, *(n for n in ("loss",) if n != objective.metric)]
    return Table(
        "point",
        {
            str(point.number): {
                **{name: _cell(value) for name, value in point.options().items()},
                **{f"validation {name}": _mean(point, name) for name in shown},
                **({"trials": str(len(point.results))} if len(point.results) > 1 else {}),
            }
            for point in points
        },
    )


def failures_table(results: Sequence[TrialResult]) -> Table:
    """The trials that failed, and why."""
    return Table(
        "failed trial",
        {
            str(r.trial.number): {
                **{name: _cell(value) for name, value in r.trial.options.items()},
                "seed": str(r.trial.seed),
                "error": r.error,
            }
            for r in results
            if r.status == FAILED
        },
    )


_LAST_COLUMNS = ("epochs", "best_step", "seconds", "error")


def _row(result: TrialResult) -> dict[str, Any]:
    trial = result.trial
    return {
        "trial": trial.number,
        "point": trial.point,
        **trial.options,
        "seed": trial.seed,
        **({} if trial.fold is None else {"fold": trial.fold}),
        "status": result.status,
        **{f"validation_{name}": value for name, value in result.metrics.items()},
        "epochs": result.epochs,
        "best_step": result.best_step,
        "seconds": result.seconds,
        "error": result.error,
    }


def _mean(point: PointResult, metric: str) -> str:
    mean, deviation = point.mean(metric), point.deviation(metric)
    return f"{mean:.4f}" if math.isnan(deviation) else f"{mean:.4f} ± {deviation:.4f}"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
