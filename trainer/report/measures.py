"""The measures of an output as a table for people and as JSON for machines."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from trainer.evaluation.calibration import reliability
from trainer.evaluation.classes import class_measures, confusion_matrix
from trainer.evaluation.curves import threshold_counts
from trainer.evaluation.numbers import number_measures
from trainer.evaluation.outputs import Output
from trainer.report.display import Table


def measure_table(output: Output) -> Table:
    """A row for each class, label or number; classes with the lowest F1 first."""
    if output.kind == "numbers":
        return Table("number", _rows(number_measures(output), output.names, "{:.4g}"))
    measures = class_measures(output)
    order = np.argsort(measures.f1, kind="stable")
    rows = _rows(measures, output.names, "{:.3f}")
    for name, support in zip(output.names, measures.support, strict=True):
        rows[name]["support"] = f"{support:,g}"
    return Table(output.kind, {name: rows[name] for name in (output.names[i] for i in order)})


def measures_as_json(output: Output) -> dict[str, Any]:
    """Every measure of an output, by class, label or number; the confusion matrix of classes."""
    if output.kind == "numbers":
        return {"by_number": _by_name(number_measures(output), output.names)}
    by_class = _by_name(class_measures(output), output.names)
    for number, name in enumerate(output.names):
        counts = threshold_counts(
            output.has_label[:, number], output.scores[:, number], output.weights
        )
        by_class[name] |= {
            "average_precision": counts.average_precision,
            "area_under_roc": counts.area_under_roc,
        }
    error = {"expected_calibration_error": reliability(output).expected_calibration_error}
    if output.kind == "labels":
        return {"by_label": by_class, **error}
    confusion = {"names": list(output.names), "rows": confusion_matrix(output).tolist()}
    return {"by_class": by_class, "confusion": confusion, **error}


def _rows(measures: Any, names: tuple[str, ...], form: str) -> dict[str, dict[str, str]]:
    return {
        name: {measure.replace("_", " "): form.format(value) for measure, value in row.items()}
        for name, row in _by_name(measures, names).items()
    }


def _by_name(measures: Any, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    columns = dataclasses.asdict(measures)
    return {
        name: {measure: float(values[number]) for measure, values in columns.items()}
        for number, name in enumerate(names)
    }
