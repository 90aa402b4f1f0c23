"""Several evaluations of the same examples as one: the mean of their probabilities or numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.evaluation.outputs import SINGLE_OUTPUT, Evaluation, Output
from trainer.loop.metrics import Metrics
from trainer.loop.trainer import Trainer

Measure = Callable[[np.ndarray], dict[str, float]]
"""From the weights of the examples, float32 [examples], to the loss and the metrics by name."""


def averaged_outputs(evaluations: Sequence[Evaluation]) -> Mapping[str, Output]:
    """The outputs with the mean scores, and with logits that give them; by name."""
    first, *_ = evaluations
    if len(evaluations) == 1:
        return first.outputs
    return {name: _mean([e.outputs[name] for e in evaluations]) for name in first.outputs}


def has_all_outputs(trainer: Trainer, evaluation: Evaluation) -> bool:
    """Whether every output of the task is one of classes, labels or numbers, as the data have."""
    kinds, outputs = trainer.task.label_kind, evaluation.outputs
    return set(outputs) == ({SINGLE_OUTPUT} if isinstance(kinds, str) else set(kinds))


def measure_of(trainer: Trainer, outputs: Mapping[str, Output], regularization: float) -> Measure:
    """Measures the loss and every metric of the task again, for other weights of the examples.

    Args:
        trainer: Of the run.
        outputs: All of the task's, by name.
        regularization: What the loss has beside that of the examples.
    """
    labels, scores = (_tensors(outputs, what) for what in ("labels", "scores"))
    losses = example_losses(trainer, outputs)
    metrics = Metrics(trainer.task.metrics(), trainer.classes)

    def results_of(weights: tf.Tensor) -> dict[str, Any]:
        metrics.reset_state()
        metrics.update_state(labels, scores, weights)
        return metrics.results()

    in_graph = _in_graph(results_of, len(losses))

    def measure(weights: np.ndarray) -> dict[str, float]:
        loss = np.average(losses, weights=weights) + regularization
        return {"loss": float(loss), **metrics.named(in_graph(tf.constant(weights)))}

    return measure


def example_losses(trainer: Trainer, outputs: Mapping[str, Output]) -> np.ndarray:
    """The loss of each example, float32 [examples], as `Trainer.compute_loss` averages them."""
    labels, logits = (_tensors(outputs, what) for what in ("labels", "logits"))
    return np.asarray(trainer.example_loss(labels, logits))


def _mean(outputs: Sequence[Output]) -> Output:
    first, scores = outputs[0], np.stack([output.scores for output in outputs]).mean(axis=0)
    return dataclasses.replace(first, scores=scores, logits=_logits(first.kind, scores))


def _logits(kind: str, scores: np.ndarray) -> np.ndarray:
    """Those of which a task of this kind makes these scores."""
    if kind == "numbers":
        return scores
    tiny = np.finfo(np.float32).tiny
    logarithms = np.log(np.maximum(scores, tiny))
    return logarithms if kind == "class" else logarithms - np.log(np.maximum(1 - scores, tiny))


def _in_graph(function: Callable[[tf.Tensor], Any], examples: int) -> Callable[..., Any]:
    """The same as a graph, thirty times as fast; as it is where a metric needs Python."""
    graph = tf.function(function)
    try:
        graph.get_concrete_function(tf.TensorSpec([examples], tf.float32))
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return function
    return graph


def _tensors(outputs: Mapping[str, Output], what: str) -> Any:
    """The labels, logits or scores of all outputs as a task takes them."""
    tensors = {name: tf.constant(getattr(output, what)) for name, output in outputs.items()}
    return tensors.get(SINGLE_OUTPUT, tensors)
