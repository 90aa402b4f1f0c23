"""Checks of what a subclass overrides: its model, its loss and what its steps return."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.config.bounds import flag
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.text import first_line
from trainer.loop.metrics import Metrics
from trainer.optimization.losses import SOFT_LABEL_OPTIONS, ExampleLoss
from trainer.optimization.precision import CheckedLossScaleOptimizer
from trainer.task import ImageClassification, MultiLabelClassification, Regression, Task

logger = logging.getLogger(__name__)


def outputs_of_zeros(model: keras.Model, inputs: Any, task_name: str) -> Any:
    """The outputs for one batch of zeros, which makes the model's weights.

    Args:
        model: What `build_model` returned.
        inputs: The specs of a batch's inputs.
        task_name: For the error.

    Raises:
        UserError: the head does not take these inputs.
    """
    shape = getattr(inputs, "shape", inputs)
    try:
        return _outputs_on_replicas(model, inputs) if _has_replicas() else model(_zeros(inputs))
    except ValueError as error:
        if "incompatible with the layer" not in str(error):  # a bug of the head, with its traceback
            raise
        raise UserError(
            f"the head of {task_name} cannot take inputs {shape}; if it takes images, choose"
            " --extractor none, if features, another --extractor"
        ) from error


def _outputs_on_replicas(model: keras.Model, inputs: Any) -> Any:
    """Zeros in place of the outputs: a SavedModel can only be run by a replica itself."""
    symbolic = tf.nest.map_structure(
        lambda spec: keras.Input(batch_shape=spec.shape, dtype=spec.dtype.name), inputs
    )
    [batch_size, *_] = tf.nest.flatten(inputs)[0].shape
    outputs = model(symbolic)  # of a SavedModel, they are of any batch size
    return tf.nest.map_structure(
        lambda one: tf.zeros([batch_size, *one.shape[1:]], one.dtype), outputs
    )


def make_metric_variables(
    task: Task, metrics: Iterable[Metrics], inputs: Any, labels: Any, logits: Any
) -> None:
    """On replicas, make the variables of metrics that wait for a first batch, by one of zeros.

    Within the graph of a replica they could not be made.

    Args:
        task: What is learned.
        metrics: Of training and of evaluation.
        inputs: The specs of a batch's inputs.
        labels: Those of its labels.
        logits: The outputs for a batch of zeros.
    """
    if _has_replicas():
        targets = task.targets(_zeros(inputs), _zeros(labels))
        for each in metrics:
            each.make_variables(task.hard_labels(targets), task.predictions(logits))


OWN_LOSSES = (ImageClassification.loss, MultiLabelClassification.loss, Regression.loss)
"""Of the tasks whose outputs are [batch, classes], one for each name that the data have."""


def check_outputs(task: Task, outputs: Any, classes: Any) -> None:
    """Refuse outputs that the task's loss is not for.

    Raises:
        UserError: naming the head, what it gives and what it must give.
    """
    shape = getattr(outputs, "shape", None)
    if isinstance(task, ImageClassification) and (shape is None or len(shape) != 2):
        raise UserError(
            f"the head of {task.name} gives {shape or outputs}, not logits [batch, classes]; if it"
            " takes features, choose another --extractor"
        )
    takes_classes = getattr(type(task), "loss", None) in OWN_LOSSES
    if takes_classes and (shape is None or tuple(shape[1:]) != (classes,)):
        raise UserError(
            f"the head of {task.name} gives {shape or outputs}, and the loss takes {classes} values"
            f" an image, as the data have; end the head with layers.Dense({classes})"
        )


def check_soft_labels(
    task_name: str, config: Config, loss: ExampleLoss, labels: tf.TensorSpec, logits: tf.Tensor
) -> None:
    """Try the loss of training on labels of zeros, where the options make them soft.

    Raises:
        UserError: it takes classes alone; naming the options.
    """
    options = [flag(option) for option in SOFT_LABEL_OPTIONS if getattr(config, option)]
    if not options:
        return
    try:
        loss(_zeros(labels), logits)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise UserError(
            f"{' and '.join(options)}: the loss of {task_name} takes no soft labels"
            f" ({first_line(error)}); omit the option, or let the loss take float32 labels"
        ) from error


def step_value_names(step: Callable[..., Any], returned: Any, metrics: Metrics) -> list[str]:
    """The names of the scalars that a traced step returns.

    Raises:
        TypeError: it returns no dict of scalars with a "loss", or one has the name of a metric.
    """
    if not (isinstance(returned, dict) and "loss" in returned and _all_scalars(returned)):
        raise TypeError(
            f'{_name(step)} must return a dict of scalars, {{"loss": …}}; it returns {returned}'
        )
    if taken := sorted(set(returned) & set(metrics.names)):
        raise TypeError(
            f"{_name(step)} returns {taken[0]!r}, which is the name of a metric of the task too;"
            " give the value another name"
        )
    return list(returned)


def check_metrics_updated(step: Callable[..., Any], metrics: Metrics) -> None:
    """Refuse a step that leaves the task's metrics at 0.

    Raises:
        TypeError: it does, and there are some; saying what to add.
    """
    if not metrics.is_updated:
        training = ", training=False" if _name(step).endswith("eval_step") else ""
        raise TypeError(
            f"{_name(step)} never updates {', '.join(metrics.names)}; add"
            f" self.update_metrics(labels, logits, sample_weight{training}), or return no metrics"
            " from the task's metrics()"
        )


def _name(step: Callable[..., Any]) -> str:
    return getattr(step, "__qualname__", type(step).__name__)


def warn_of_unrepeated_draws(
    step: Callable[..., Any], in_python: Sequence[str], in_graph: Sequence[str]
) -> None:
    """Say that random numbers of a step do not follow from the seed and the step's number.

    Args:
        step: Which step.
        in_python: Modules that it drew from while it was traced.
        in_graph: Functions of TensorFlow that draw from its hidden state.
    """
    for module in in_python:
        logger.warning(
            "%s draws from %s, which happens once, when it is traced: every step has the same"
            " numbers; draw with tf.random.stateless_… and self.seed_of(self.step)",
            *(_name(step), module),
        )
    for function in in_graph:
        logger.warning(
            "%s calls %s, whose numbers a resumed run does not repeat; draw with"
            " tf.random.stateless_… and self.seed_of(self.step)",
            *(_name(step), function),
        )


def check_loss_scaled(step: Callable[..., Any], optimizer: keras.optimizers.Optimizer) -> None:
    """Refuse a training step that does not scale its loss in float16.

    Raises:
        TypeError: it does not; saying what to add.
    """
    if isinstance(optimizer, CheckedLossScaleOptimizer) and not optimizer.has_scaled:
        raise TypeError(
            f"{_name(step)} must scale its loss in --precision mixed_float16; take the gradients of"
            " self.optimizer.scale_loss(loss), within the tape"
        )


def _has_replicas() -> bool:
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def _zeros(specs: Any) -> Any:
    return tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), specs)


def _all_scalars(values: Mapping[str, Any]) -> bool:
    return all(getattr(value, "shape", None) == () for value in values.values())
