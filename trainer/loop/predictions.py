"""A split measured once: its metrics, and the labels and logits of every example."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core import signals
from trainer.evaluation.outputs import SINGLE_OUTPUT, Evaluation, Output
from trainer.loop.trainer import Trainer
from trainer.loop.xla import step_spec
from trainer.task import LabelKind

logger = logging.getLogger(__name__)

MAX_VALUES_OF_AN_EXAMPLE = 1 << 16
"""Of larger outputs, masks say, only the metrics are kept."""


def evaluate_with_outputs(trainer: Trainer, split: str) -> Evaluation:
    """The metrics of a split, as `Trainer.evaluate` has them, and what they are made of.

    The model's present weights are measured.

    Raises:
        Interrupted: a signal asks the run to end.
    """
    trainer.eval_metrics.reset_state()
    with signals.allow_signals():
        batches = [
            tf.nest.map_structure(lambda tensor: tensor.numpy(), batch)
            for batch in _evaluated_batches(trainer, split)
        ]
    metrics = trainer.eval_metrics.result()
    if type(trainer).evaluate is not Trainer.evaluate:  # a subclass measures in another way
        metrics = trainer.evaluate(split, use_ema=False)
    examples = trainer.batches[split].examples_in(0, trainer.evaluated_steps(split))
    measured, weights = tf.nest.map_structure(
        lambda *parts: np.concatenate(parts)[:examples], *batches
    )
    if not measured:
        return Evaluation(split, examples, metrics, {})
    labels, logits = measured
    return Evaluation(split, examples, metrics, _outputs(trainer, labels, logits, weights))


def _evaluated_batches(trainer: Trainer, split: str) -> Iterator[tuple[Any, tf.Tensor]]:
    """The labels and logits of every batch, () where they are of no use, and its weights."""
    batches, metrics = trainer.batches[split], trainer.eval_metrics
    step_with_outputs = tf.function(trainer.eval_step_with_outputs)
    traced = step_with_outputs.get_concrete_function(*step_spec(batches))
    metrics.track(traced.structured_outputs[0])

    @tf.function
    def evaluate_batch(iterator: Any, step: tf.Tensor) -> tuple[Any, tf.Tensor]:
        batch, indices = batches.get_next(iterator, step)
        values, measured = step_with_outputs(batch, step, indices)
        metrics.update_means(values, batch[2])
        return measured if _is_kept(measured) else (), batch[2]

    iterator = batches.make_iterator(epoch=None)
    for step in range(trainer.evaluated_steps(split)):
        yield evaluate_batch(iterator, tf.constant(step))


def _is_kept(measured: Any) -> bool:
    tensors = tf.nest.flatten(measured)
    return all(
        isinstance(tensor, tf.Tensor)
        and tensor.shape.rank in (1, 2)
        and tensor.shape[1:].num_elements() <= MAX_VALUES_OF_AN_EXAMPLE
        for tensor in tensors
    )


def _outputs(trainer: Trainer, labels: Any, logits: Any, weights: np.ndarray) -> dict[str, Output]:
    """Each output by its name, of those that are classes, labels or numbers."""
    task = trainer.task
    scores = tf.nest.map_structure(np.asarray, task.predictions(_tensors(logits)))
    labels = tf.nest.map_structure(np.asarray, task.hard_labels(_tensors(labels)))
    if isinstance(task.label_kind, str):
        measured = {SINGLE_OUTPUT: (task.label_kind, trainer.classes, labels, logits, scores)}
    else:
        by_name: Any = trainer.classes
        measured = {
            name: (kind, by_name[name], *_of(name, labels, logits, scores))
            for name, kind in task.label_kind.items()
        }
    found = {name: _output(*parts, weights) for name, parts in measured.items()}
    return {name: output for name, output in found.items() if output and _has_scores(name, output)}


def _of(name: str, *structures: Any) -> list[Any]:
    return [s.get(name) if isinstance(s, Mapping) else None for s in structures]


def _output(
    kind: LabelKind, names: Any, labels: Any, logits: Any, scores: Any, weights: np.ndarray
) -> Output | None:
    """None where the shapes are not those of the kind: the task learns something else."""
    examples, size = len(weights), len(names)
    shape_of_labels = (examples,) if kind == "class" else (examples, size)
    expected = [shape_of_labels, (examples, size), (examples, size)]
    shapes = [getattr(array, "shape", None) for array in (labels, logits, scores)]
    if shapes != expected:
        return None
    return Output(kind, tuple(names), labels, logits, scores, weights)


def _has_scores(name: str, output: Output) -> bool:
    """Whether classes and labels have probabilities, as all that is made of outputs takes them."""
    has_scores = output.kind == "numbers" or bool(
        ((output.scores >= 0) & (output.scores <= 1)).all()
    )
    if not has_scores:
        logger.info(
            "the predictions%s are no probabilities, so only metrics are shown;"
            " Task.predictions makes them of outputs",
            f" of {name}" if name else "",
        )
    return has_scores


def _tensors(arrays: Any) -> Any:
    return tf.nest.map_structure(tf.constant, arrays)
