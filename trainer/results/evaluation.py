"""The splits of a run with its best weights: metrics, scores, and the temperature of these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainer.core.text import printable
from trainer.data import SPLITS
from trainer.evaluation.calibration import (
    calibrated,
    fit_temperature,
    has_temperature,
    reliability,
)
from trainer.evaluation.outputs import SINGLE_OUTPUT, Evaluation, Output
from trainer.evaluation.unknown import unknown_below
from trainer.loop.predictions import evaluate_with_outputs
from trainer.loop.trainer import Trainer

PRECISIONS = (0.8, 0.9, 0.95, 0.98, 0.99)
"""What may be wanted of the answers of a classifier that may also say "unknown"."""


@dataclasses.dataclass(frozen=True)
class EvaluatedSplits:
    """The train, validation and test split, each measured once."""

    uncalibrated: Mapping[str, Evaluation]
    """By split, with the scores that the model itself gives; names as they can be shown."""

    temperatures: Mapping[str, float]
    """By output; those without one, numbers say, are left out."""

    @property
    def splits(self) -> dict[str, Evaluation]:
        """By split, with calibrated scores."""
        return {
            name: with_temperatures(evaluation, self.temperatures)
            for name, evaluation in self.uncalibrated.items()
        }

    @property
    def metrics(self) -> dict[str, Mapping[str, float]]:
        """By split and name, of the scores that the model itself gives."""
        return {name: evaluation.metrics for name, evaluation in self.uncalibrated.items()}

    @property
    def calibration(self) -> dict[str, Any]:
        """The temperature, and the test split's calibration error without and with it.

        Of classes the score below which an answer is unknown too, by the precision that it has on
        validation. Of several outputs a dict of these by output.
        """
        by_output = {name: self._calibration_of(name) for name in self.temperatures}
        return by_output.get(SINGLE_OUTPUT, by_output)

    def _calibration_of(self, name: str) -> dict[str, Any]:
        before, after = self.uncalibrated["test"].outputs, self.splits["test"].outputs
        validation = self.splits["validation"].outputs[name]
        content = {
            "temperature": self.temperatures[name],
            "expected_calibration_error": {
                "before": reliability(before[name]).expected_calibration_error,
                "after": reliability(after[name]).expected_calibration_error,
            },
        }
        if validation.kind == "class":
            content["unknown_below"] = _unknown_below(validation)
        return content


def evaluate_splits(trainer: Trainer) -> EvaluatedSplits:
    """Measure the present weights; temperatures are fitted on validation.

    Raises:
        Interrupted: a signal asks the run to end.
    """
    evaluations = {
        split: evaluate_with_outputs(trainer, split).map_outputs(_with_printable_names)
        for split in SPLITS
    }
    # Scores may be probabilities in one split and none in another: NaN, say.
    everywhere = set.intersection(*(set(one.outputs) for one in evaluations.values()))
    fitted = {
        name: fit_temperature(output)
        for name, output in evaluations["validation"].outputs.items()
        if name in everywhere and has_temperature(output)
    }
    return EvaluatedSplits(evaluations, fitted)


def _with_printable_names(_: str, output: Output) -> Output:
    return dataclasses.replace(output, names=tuple(map(printable, output.names)))


def _unknown_below(validation: Output) -> dict[str, Any]:
    found = {f"{p:.2f}": unknown_below(validation, p) for p in PRECISIONS}
    return {p: None if one is None else dataclasses.asdict(one) for p, one in found.items()}


def temperatures_of(result: Mapping[str, Any]) -> dict[str, float]:
    """By output, from the content of a run's result.json; none of a run of an earlier release."""
    calibration = result.get("calibration", {})
    by_output = {SINGLE_OUTPUT: calibration} if "temperature" in calibration else calibration
    return {name: content["temperature"] for name, content in by_output.items()}


def with_temperatures(evaluation: Evaluation, temperatures: Mapping[str, float]) -> Evaluation:
    """The same with the scores of the outputs that have a temperature calibrated by it."""
    return evaluation.map_outputs(
        lambda name, output: (
            calibrated(output, temperatures[name]) if name in temperatures else output
        )
    )
