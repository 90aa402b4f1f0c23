"""A finished run, measured on a split: metrics with intervals, measures by class, predictions."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config.config import Config
from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.data.pipeline.views import views
from trainer.evaluation.bootstrap import intervals
from trainer.evaluation.calibration import reliability
from trainer.evaluation.comparison import McNemar, mcnemar
from trainer.evaluation.outputs import SINGLE_OUTPUT, Evaluation, Output
from trainer.loop.batches import Batches
from trainer.loop.predictions import evaluate_with_outputs
from trainer.loop.trainer import Trainer
from trainer.report.display import Table
from trainer.report.measures import measure_table, measures_as_json
from trainer.results.evaluation import with_temperatures
from trainer.setup.batches import BatchFactory
from trainer.task import Task
from trainer.trained.average import (
    averaged_outputs,
    example_losses,
    has_all_outputs,
    measure_of,
)
from trainer.trained.data import MeasuredData, open_measured_data
from trainer.trained.model import classes_of, load_trainer


@dataclasses.dataclass(frozen=True)
class MeasuredRun:
    """A run, measured on a split."""

    about: str
    """What it was measured on."""

    evaluation: Evaluation
    """With calibrated scores."""

    intervals: Mapping[str, tuple[float, float]]
    """The 95 % interval of each metric that has one, by name."""

    images: tuple[str, ...]
    """What messages call each example: its file, where it has one."""

    def as_json(self) -> dict[str, Any]:
        """Every number."""
        outputs = {name: measures_as_json(o) for name, o in self.evaluation.outputs.items()}
        return {
            "data": self.about,
            "examples": self.evaluation.examples,
            "metrics": dict(self.evaluation.metrics),
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            **(outputs.get(SINGLE_OUTPUT) or {"outputs": outputs}),
        }

    def tables(self) -> Iterator[Table]:
        """The metrics, and the measures of each class, label or number."""
        yield Table("metric", {name: self._cells(name) for name in self._shown_metrics()})
        for output in self.evaluation.outputs.values():
            yield measure_table(output)

    def __str__(self) -> str:
        """The tables, below what they are about."""
        return "\n\n".join([self.about, *map(str, self.tables())])

    def _repr_html_(self) -> str:
        """The same in a notebook."""
        tables = "".join(table._repr_html_() for table in self.tables())
        return f"<p>{html.escape(self.about)}</p>{tables}"

    def write_predictions(self, path: Path) -> None:
        """A CSV: a row an example, with its label and its scores.

        Raises:
            UserError: it cannot be written, or the outputs are neither classes, labels nor numbers.
        """
        if not self.evaluation.outputs:
            raise UserError(
                f"--predictions {path}: the outputs of this task are neither classes, labels nor"
                " numbers; omit it"
            )
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        columns = [_columns(name, o) for name, o in self.evaluation.outputs.items()]
        table.writerow(["image", *(name for header, _ in columns for name in header)])
        for number, image in enumerate(self.images):
            table.writerow([image, *(cell for _, rows in columns for cell in rows[number])])
        try:
            atomic.write_bytes(path, text.getvalue().encode(errors="surrogateescape"))
        except OSError as error:
            raise UserError(f"--predictions {path} cannot be written ({error.strerror})") from error

    def mcnemar(self, other: MeasuredRun) -> McNemar | None:
        """The test against another run; None where they are not of classes of the same examples."""
        first, second = (one.evaluation.outputs.get(SINGLE_OUTPUT) for one in (self, other))
        if first is None or second is None or first.kind != "class":
            return None
        if self.images != other.images or first.names != second.names:
            return None
        counted = first.weights > 0
        return mcnemar(
            (first.predicted == first.labels)[counted], (second.predicted == second.labels)[counted]
        )

    def _shown_metrics(self) -> list[str]:
        # Those of single classes, "recall/rose", are in the other table.
        errors = [_error_name(name) for name, o in self._calibrated()]
        return [*(name for name in self.evaluation.metrics if "/" not in name), *errors]

    def _cells(self, name: str) -> dict[str, str]:
        values = {
            **self.evaluation.metrics,
            **{
                _error_name(n): reliability(o).expected_calibration_error
                for n, o in self._calibrated()
            },
        }
        low_and_high = self.intervals.get(name)
        between = f"{low_and_high[0]:.4f} to {low_and_high[1]:.4f}" if low_and_high else ""
        return {"value": f"{values[name]:.4f}", "95 % interval": between}

    def _calibrated(self) -> list[tuple[str, Output]]:
        return [(n, o) for n, o in self.evaluation.outputs.items() if o.kind != "numbers"]


def measure_run(
    run: Path,
    task: Task,
    config: Config,
    trainer_class: type[Trainer],
    temperatures: Mapping[str, float],
    split: str,
    path: str | None = None,
    tta: int = 1,
) -> MeasuredRun:
    """Measure the best weights of a run on a split.

    Args:
        run: The folder.
        task: What it has learned.
        config: How.
        trainer_class: Its trainer.
        temperatures: By output, of those that have one.
        split: train, validation or test.
        path: A folder of class folders or a table, in place of the run's data.
        tta: Test-time augmentation: the views of each image whose scores are averaged.

    Raises:
        UserError: there are no such data, the run has not learned their classes, or it has nothing
            to average.
        Interrupted: a signal asks the process to end.
    """
    data = open_measured_data(task, config, classes_of(run), split, path)
    if tta > 1:
        _check_views(task, trainer_class, data)
    factory = BatchFactory(config, task.channels)
    with report_unreadable_images([] if data.own_data is not None else [data.split]):
        of_views = [
            factory.split_batches(data.split, data.own_data, view) for view in views(config, tta)
        ]
        batches = {split: of_views[0]}
        trainer = load_trainer(run, task, config, trainer_class, factory, batches)
        evaluations = _evaluate_views(trainer, split, of_views)
    mean, of_metrics = _averaged(trainer, evaluations, temperatures)
    images = tuple(map(data.split.describe, range(mean.examples)))
    about = data.about if tta == 1 else f"{data.about}, the mean of {tta} views"
    return MeasuredRun(about, mean, of_metrics, images)


def _evaluate_views(trainer: Trainer, split: str, of_views: Sequence[Batches]) -> list[Evaluation]:
    """One evaluation for each, of the same examples."""
    evaluations = []
    for batches in of_views:
        trainer.batches = {**trainer.batches, split: batches}
        evaluations.append(evaluate_with_outputs(trainer, split))
    return evaluations


def _averaged(
    trainer: Trainer, evaluations: Sequence[Evaluation], temperatures: Mapping[str, float]
) -> tuple[Evaluation, dict[str, tuple[float, float]]]:
    """The mean of the evaluations, with calibrated scores; and the interval of every metric."""
    first, *others = evaluations
    calibrated = [with_temperatures(evaluation, temperatures) for evaluation in evaluations]
    mean = dataclasses.replace(calibrated[0], outputs=averaged_outputs(calibrated))
    if not has_all_outputs(trainer, first):
        if others:
            raise UserError(
                f"--tta averages probabilities or numbers, and the outputs of {trainer.task.name}"
                " are neither; omit it"
            )
        return mean, {}
    weights = next(iter(first.outputs.values())).weights
    losses = example_losses(trainer, first.outputs)
    regularization = first.metrics["loss"] - np.average(losses, weights=weights)
    measure = measure_of(trainer, averaged_outputs(evaluations), regularization)
    if others:
        mean = dataclasses.replace(mean, metrics=measure(weights))
    return mean, intervals(measure, weights)


def _check_views(task: Task, trainer_class: type[Trainer], data: MeasuredData) -> None:
    """Refuse several views where there are no images, or no mean of what is measured."""
    if data.own_data is not None:
        raise UserError(f"--tta augments images, and the data of {task.name} are none; omit it")
    standard = Trainer.evaluate, Trainer.eval_step
    if (trainer_class.evaluate, trainer_class.eval_step) != standard:
        raise UserError(
            f"--tta is for the evaluation of Trainer, and {trainer_class.__name__} has one of its"
            " own; omit it"
        )


def _columns(name: str, output: Output) -> tuple[list[str], list[list[Any]]]:
    """The header and the rows of one output: what is true, what is predicted, every score."""
    prefix = "" if name == SINGLE_OUTPUT else f"{name} "
    scores = _cells(output.scores)
    if output.kind == "class":
        header = [f"{prefix}truth", f"{prefix}predicted", *(prefix + n for n in output.names)]
        classes = (
            [output.names[i] for i in labels] for labels in (output.labels, output.predicted)
        )
        return header, [[*pair, *row] for *pair, row in zip(*classes, scores, strict=True)]
    header = [f"{prefix}{what}{n}" for what in ("truth ", "") for n in output.names]
    truths = _cells(output.labels)
    return header, [[*truth, *row] for truth, row in zip(truths, scores, strict=True)]


def _cells(values: np.ndarray) -> list[list[str]]:
    return [[f"{value:.7g}" for value in row] for row in values]


def _error_name(output: str) -> str:
    return "_".join(filter(None, [output, "calibration_error"]))
