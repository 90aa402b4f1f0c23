"""Schedules of the learning rate: constant, cosine, … after a warm-up, and one cycle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.config import durations
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.optimization.precision import is_traced_for_xla

Schedule = Callable[[tf.Tensor], tf.Tensor]
"""From a number of steps, scalar, to the learning rate of the next step."""

DECAY_PER_EPOCH = 0.94
"""Of the exponential schedule: what Inception was trained with (arXiv 1512.00567)."""


RISING, FIRST_DIVISOR, LAST_DIVISOR = 0.3, 25, 25 * 1e4
"""Of one cycle: the part in which it rises, and what the highest is divided by at its ends."""


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0 to the start of a schedule (arXiv 1706.02677)."""

    def __init__(self, steps: int, schedule: Schedule) -> None:
        """Warm up for a number of steps, then follow a schedule that begins at step 0."""
        self.steps, self.schedule = steps, schedule

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate after `step` steps."""
        taken = tf.cast(step, tf.float32)
        rate = self.schedule(tf.maximum(taken - self.steps, 0.0))
        return tf.minimum(divided(taken, self.steps), 1.0) * rate


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to the highest learning rate and down again, each along half a cosine.

    The super-convergence of arXiv 1708.07120, with the shape and the numbers of fastai.
    """

    def __init__(self, highest: float, steps: int) -> None:
        """Reach the highest after three tenths of the steps."""
        first, last = highest / FIRST_DIVISOR, highest / LAST_DIVISOR
        self.highest, self.last = highest, last
        # Halves, which are exact: XLA, too, multiplies constants before all else.
        self.rise, self.fall = (first - highest) / 2, (highest - last) / 2
        self.rising_steps = RISING * steps
        self.falling_steps = steps - self.rising_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate after `step` steps."""
        taken = tf.cast(step, tf.float32)
        part = divided(taken, self.rising_steps)
        up = _half_cosine(part, self.highest, self.rise)
        part = divided(taken - self.rising_steps, self.falling_steps)
        down = _half_cosine(part, self.last, self.fall)
        return tf.where(taken < self.rising_steps, up, down)


class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """Down to 0 along half a cosine (arXiv 1608.03983): CosineDecay of Keras, to the bit."""

    def __init__(self, initial: float, steps: int) -> None:
        """Reach 0 after so many steps."""
        self.initial, self.steps = initial, steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate after `step` steps."""
        steps = tf.cast(self.steps, tf.float32)
        taken = tf.minimum(tf.cast(step, tf.float32), steps)
        return self.initial * (0.5 * (1.0 + tf.cos(divided(taken, self.steps, np.pi))))


class Exponential(keras.optimizers.schedules.LearningRateSchedule):
    """Down by a factor every so many steps: ExponentialDecay of Keras, to the bit."""

    def __init__(self, initial: float, steps: int, factor: float) -> None:
        """Multiply by the factor every so many steps, and between them by its roots."""
        self.initial, self.steps, self.factor = initial, steps, factor

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate after `step` steps."""
        part = divided(tf.cast(step, tf.float32), self.steps)
        return self.initial * tf.pow(tf.constant(self.factor, tf.float32), part)


class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """One learning rate, as the schedule that a warm-up leads to."""

    def __init__(self, learning_rate: float) -> None:
        """It is the same in every step."""
        self.learning_rate = learning_rate

    def __call__(self, step: tf.Tensor) -> tf.Tensor:  # noqa: ARG002 (what schedules are given)
        """The learning rate."""
        return tf.convert_to_tensor(self.learning_rate, tf.float32)


def divided(amount: tf.Tensor, divisor: Any, factor: float | None = None) -> tf.Tensor:
    """`amount / divisor`, times a factor; of variables the same to the bit as of numbers.

    XLA multiplies by the reciprocal of a divisor that is a constant, and divides by a variable.
    """
    if isinstance(divisor, tf.Variable) and is_traced_for_xla():
        reciprocal = 1.0 / divisor
        return amount * (reciprocal if factor is None else factor * reciprocal)
    part = amount / divisor
    return part if factor is None else factor * part


def _half_cosine(part: tf.Tensor, last: float, amplitude: float) -> tf.Tensor:
    """From last + 2 · amplitude to last."""
    return last + amplitude * (1 + tf.cos(np.pi * tf.clip_by_value(part, 0.0, 1.0)))


def make_learning_rate(config: Config, steps_per_epoch: int) -> float | Schedule:
    """The learning rate of an optimizer of Keras: a number where it is constant, else a schedule.

    Args:
        config: The schedule, what it begins with, its warm-up, and the length of the training.
        steps_per_epoch: Steps in an epoch.

    Raises:
        UserError: the warm-up is as long as the training, or longer.
    """
    initial, warmup = float(config.initial_learning_rate), _warmup_steps(config, steps_per_epoch)
    rest = config.epochs * steps_per_epoch - warmup
    schedule = _schedule(config.rate_schedule, initial, steps_per_epoch, rest)
    if warmup:
        return WarmUp(warmup, schedule or Constant(initial))
    return schedule or initial


def learning_rate_at(optimizer: keras.optimizers.Optimizer, step: int) -> float:
    """The learning rate of an optimizer after some steps; its present one without a schedule."""
    updating = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    schedule = updating._learning_rate  # the public name gives only the present value
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return float(schedule(tf.constant(step, tf.int64)))
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def _schedule(name: str, initial: float, steps_per_epoch: int, steps: int) -> Schedule | None:
    """The schedule over the steps after the warm-up; None for the constant one."""
    schedules = keras.optimizers.schedules
    if name == "cosine":
        return Cosine(initial, steps)
    if name == "exponential":
        return Exponential(initial, steps_per_epoch, DECAY_PER_EPOCH)
    if name == "one-cycle":
        return OneCycle(initial, steps)
    if name == "piecewise":
        # A boundary is the last step of the value before it.
        boundaries = [steps // 2 - 1, steps * 3 // 4 - 1]
        return schedules.PiecewiseConstantDecay(boundaries, [initial, initial / 10, initial / 100])
    return None


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
