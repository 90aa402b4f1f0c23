"""A finished run, measured on a split: metrics with intervals, measures by class, predictions."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.config import Config
from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.evaluation.bootstrap import intervals
from trainer.evaluation.calibration import reliability
from trainer.evaluation.comparison import McNemar, mcnemar
from trainer.evaluation.outputs import SINGLE_OUTPUT, Evaluation, Output
from trainer.loop.metrics import Metrics
from trainer.loop.predictions import evaluate_with_outputs
from trainer.loop.trainer import Trainer
from trainer.report.display import Table
from trainer.report.measures import measure_table, measures_as_json
from trainer.results.evaluation import with_temperatures
from trainer.setup.batches import BatchFactory
from trainer.task import Task
from trainer.trained.data import open_measured_data
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

    Raises:
        UserError: there are no such data, or the run has not learned their classes.
        Interrupted: a signal asks the process to end.
    """
    data = open_measured_data(task, config, classes_of(run), split, path)
    factory = BatchFactory(config, task.channels)
    with report_unreadable_images([] if data.own_data is not None else [data.split]):
        batches = {split: factory.split_batches(data.split, data.own_data)}
        trainer = load_trainer(run, task, config, trainer_class, factory, batches)
        evaluation = evaluate_with_outputs(trainer, split)
    images = tuple(map(data.split.describe, range(evaluation.examples)))
    return MeasuredRun(
        data.about,
        with_temperatures(evaluation, temperatures),
        _intervals(trainer, evaluation),
        images,
    )


def _intervals(trainer: Trainer, evaluation: Evaluation) -> dict[str, tuple[float, float]]:
    """Of every metric of the task, computed again for each resample."""
    kinds, outputs = trainer.task.label_kind, evaluation.outputs
    if not outputs or set(outputs) != ({SINGLE_OUTPUT} if isinstance(kinds, str) else set(kinds)):
        return {}
    labels, logits, scores = (_tensors(outputs, what) for what in ("labels", "logits", "scores"))
    losses = _example_losses(trainer, labels, logits)
    metrics = Metrics(trainer.task.metrics(), trainer.classes)

    def results_of(resampled: tf.Tensor) -> dict[str, Any]:
        metrics.reset_state()
        metrics.update_state(labels, scores, resampled)
        return metrics.results()

    weights = next(iter(outputs.values())).weights
    in_graph = _in_graph(results_of, weights)
    regularization = evaluation.metrics["loss"] - np.average(losses, weights=weights)

    def measure(resampled: np.ndarray) -> Mapping[str, float]:
        loss = np.average(losses, weights=resampled) + regularization
        return {"loss": float(loss), **metrics.named(in_graph(tf.constant(resampled)))}

    return intervals(measure, weights)


def _in_graph(function: Callable[[tf.Tensor], Any], weights: np.ndarray) -> Callable[..., Any]:
    """The same as a graph, thirty times as fast; as it is where a metric needs Python."""
    graph = tf.function(function)
    try:
        graph.get_concrete_function(tf.TensorSpec(weights.shape, tf.float32))
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return function
    return graph


def _tensors(outputs: Mapping[str, Output], what: str) -> Any:
    """The labels, logits or scores of all outputs as a task takes them."""
    tensors = {name: tf.constant(getattr(output, what)) for name, output in outputs.items()}
    return tensors.get(SINGLE_OUTPUT, tensors)


def _example_losses(trainer: Trainer, labels: Any, logits: Any) -> np.ndarray:
    """The loss of each example, float32 [examples], as `Trainer.compute_loss` averages them."""
    return np.asarray(trainer.example_loss(labels, logits))


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
