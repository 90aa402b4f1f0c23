"""How the optimizer's step size goes on through a training."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from trainer.config import durations
from trainer.config.config import Config
from trainer.core.errors import UserError

Schedule = Callable[[tf.Tensor], tf.Tensor]
"""From the number of steps taken, scalar, to the size of the next one."""

DECAY_AN_EPOCH = 0.94
"""Of the exponential schedule: what Inception was trained with (arXiv 1512.00567)."""


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A step size that rises evenly from 0 (arXiv 1706.02677) to where another schedule begins."""

    def __init__(self, steps: int, then: Schedule) -> None:
        """Rise for so many steps; those of the schedule `then` are counted from there."""
        self.steps, self.then = steps, then

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The size of the step that follows `step` others."""
        taken = tf.cast(step, tf.float32)
        return tf.minimum(taken / self.steps, 1.0) * self.then(tf.maximum(taken - self.steps, 0.0))


def learning_rate(config: Config, steps_per_epoch: int) -> float | Schedule:
    """The step size as an optimizer of Keras takes it: a number where it is the same throughout.

    Raises:
        UserError: the warm-up is as long as the training.
    """
    warmup = _warmup_steps(config, steps_per_epoch)
    rest = config.epochs * steps_per_epoch - warmup
    if warmup:
        return WarmUp(warmup, _schedule(config, steps_per_epoch, rest) or _constant(config))
    return _schedule(config, steps_per_epoch, rest) or float(config.initial_learning_rate)


def learning_rate_at(optimizer: keras.optimizers.Optimizer, step: int) -> float:
    """The step size of an optimizer after so many steps: by its schedule, else its present one."""
    updating = getattr(optimizer, "inner_optimizer", optimizer)  # within that which scales losses
    schedule = updating._learning_rate  # only its present value has a public name in Keras
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return float(schedule(tf.constant(step, tf.int64)))
    return float(optimizer.learning_rate)


def _schedule(config: Config, steps_per_epoch: int, steps: int) -> Schedule | None:
    """The schedule over the steps after the warm-up, None for the constant one."""
    schedules, first = keras.optimizers.schedules, float(config.initial_learning_rate)
    if config.schedule == "cosine":
        return schedules.CosineDecay(first, steps)
    if config.schedule == "exponential":
        return schedules.ExponentialDecay(first, steps_per_epoch, DECAY_AN_EPOCH)
    if config.schedule == "piecewise":
        # A boundary is the last step of the value before it.
        boundaries = [steps // 2 - 1, steps * 3 // 4 - 1]
        return schedules.PiecewiseConstantDecay(boundaries, [first, first / 10, first / 100])
    return None


def _constant(config: Config) -> Schedule:
    return lambda _step: tf.constant(config.initial_learning_rate, tf.float32)


def _warmup_steps(config: Config, steps_per_epoch: int) -> int:
    total = config.epochs * steps_per_epoch
    warmup = durations.steps(
        "--warmup",
        config.warmup,
        steps_per_epoch=steps_per_epoch,
        total_steps=total,
        batch_size=config.batch_size,
    )
    if warmup and warmup >= total:
        raise UserError(
            f"--warmup {config.warmup} is {warmup} steps, and the training has {total};"
            " choose a shorter one"
        )
    return warmup
