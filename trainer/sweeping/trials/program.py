"""One traced and compiled trainer for all trials whose programs differ in numbers alone.

The numbers are variables that the graph reads: the learning rate and what its schedule is made of,
weight decay, momentum, the decay of averaged weights, label smoothing. Everything else that a trial
starts from (weights, the optimizer's slots, the states of dropout) is copied from a trainer that is
built for the trial as any run builds its own, and never traced.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.checkpoints.own_variables import in_tensorflow
from trainer.config.config import STOPPING
from trainer.config.logging import LoggingOptions
from trainer.loop.graph_effects import python_random_draws, stateful_random_functions
from trainer.loop.trainer import Trainer
from trainer.optimization.losses import SmoothedLoss
from trainer.optimization.precision import is_traced_for_xla
from trainer.optimization.schedules import Constant, Cosine, Exponential, OneCycle, WarmUp

Place = tuple[Any, str]
"""Where a number is: an object and the name of its attribute."""

_SCHEDULES = keras.optimizers.schedules
SCHEDULE_NUMBERS: dict[type, tuple[str, ...]] = {
    Constant: ("learning_rate",),
    OneCycle: (
        *("highest", "last", "rise", "fall"),
        *("rising_steps", "falling_steps"),
    ),
    WarmUp: ("steps",),
    Cosine: ("initial", "steps"),
    Exponential: ("initial", "steps"),
    _SCHEDULES.PiecewiseConstantDecay: ("boundaries", "values"),
}
"""What may differ between trials in a schedule of each class."""

NOT_TRACED = frozenset(
    {
        *("learning_rate", "weight_decay", "ema", "label_smoothing"),
        *("schedule", "warmup", "plateau_epochs"),
        *STOPPING,
        *("seed", "validation_steps", "checkpoint_every"),
        *("feature_memory", "cache_dir", "data_dir"),
        *LoggingOptions.__dataclass_fields__,
    }
) - {"log_every"}
"""The options that are in no graph by themselves: the numbers, and what only Python reads. Whether
there is a schedule, an average and so on shows in which numbers there are."""


class Program:
    """A trainer that is traced once, and takes the numbers and the state of trial after trial.

    ```python
    program = Program(built_for_the_first_trial)
    program.start(built_for_the_second)
    program.trainer.fit(hooks)
    ```
    """

    def __init__(self, trainer: Trainer) -> None:
        """Make variables of the numbers of a trainer that has not been traced.

        Args:
            trainer: At its first step; it becomes that of the program.
        """
        self.trainer = trainer
        self._numbers = [variable for place in _places(trainer) for variable in _replaced(place)]
        with python_random_draws() as drawn:
            trainer.build()
        self.is_shared = not drawn and _follows_from_its_state(trainer, self._numbers)
        """Whether the graph has nothing in it but numbers and state that can be replaced. Another
        trial needs a program of its own where it draws from hidden random states, or reads
        variables of the task's own."""

    def start(self, fresh: Trainer) -> None:
        """Go to the first step of another trial.

        Args:
            fresh: Built for that trial, neither traced nor trained.
        """
        numbers = [number for place in _places(fresh) for number in _numbers(place)]
        for variable, number in zip(self._numbers, numbers, strict=True):
            variable.assign(number)
        trainer = self.trainer
        trainer.config, trainer.batches = fresh.config, fresh.batches
        trainer.step, trainer.history, trainer.stopped = 0, [], None
        for variable, initial in zip(_state(trainer), _state(fresh), strict=True):
            variable.assign(initial)
        trainer.train_metrics.reset_state()
        trainer.eval_metrics.reset_state()

    def computes_as(self, fresh: Trainer) -> bool:
        """Whether the model, which has just taken the state of another, gives the same outputs.

        It does not where a head is made of numbers drawn from the seed that are no variables.
        """
        inputs, _, _ = fresh.batches["train"].batch_spec
        ones = tf.nest.map_structure(lambda spec: tf.ones(spec.shape, spec.dtype), inputs)
        ours, theirs = (
            tf.nest.flatten(trainer.model(ones, training=False))
            for trainer in (self.trainer, fresh)
        )
        return all(
            np.array_equal(our, their, equal_nan=True)
            for our, their in zip(ours, theirs, strict=True)
        )


def program_key(trainer: Trainer) -> str | None:
    """What the programs of trials that can share one have in common; None where it cannot be.

    Args:
        trainer: Built for a trial, not traced.
    """
    config = trainer.config
    is_own = type(trainer) is not Trainer or config.hook or config.precision != "float32"
    # Without XLA it is TensorFlow's own optimizer that reorders what is made of constants.
    if is_own or (config.jit == "off" and _has_schedule(trainer)):
        return None
    options = {n: value for n, value in config.as_json().items() if n not in _traced_as(trainer)}
    steps = [batches.steps for batches in trainer.batches.values()]
    return json.dumps(
        [options, [f"{type(owner).__name__}.{name}" for owner, name in _places(trainer)], steps]
    )


def _traced_as(trainer: Trainer) -> set[str]:
    """The options that no program is made for."""
    config, names = trainer.config, set(NOT_TRACED)
    if isinstance(trainer.optimizer, keras.optimizers.SGD):
        names.add("momentum")
    if config.class_weights != "none":
        names -= {"label_smoothing"}
    return names


def _has_schedule(trainer: Trainer) -> bool:
    return any(_schedule_places(trainer.optimizer._learning_rate))


def _places(trainer: Trainer) -> list[Place]:
    """Where the numbers of a trainer are that has not been traced, in an order of their own."""
    return [
        *_optimizer_places(trainer.optimizer),
        *_schedule_places(trainer.optimizer._learning_rate),
        *_loss_places(trainer.training_example_loss),
    ]


def _optimizer_places(optimizer: keras.optimizers.Optimizer) -> Iterator[Place]:
    if optimizer.weight_decay is not None:
        yield optimizer, "weight_decay"
    if optimizer.use_ema:
        yield optimizer, "ema_momentum"
    if isinstance(optimizer, keras.optimizers.SGD) and optimizer.momentum != 0:
        yield optimizer, "momentum"


def _schedule_places(schedule: Any) -> Iterator[Place]:
    """Of a constant learning rate none: it is a variable anyway, one of the optimizer's state."""
    for name in SCHEDULE_NUMBERS.get(type(schedule), ()):
        yield schedule, name
    if isinstance(schedule, WarmUp):
        yield from _schedule_places(schedule.schedule)


def _loss_places(loss: Any) -> Iterator[Place]:
    if isinstance(loss, SmoothedLoss):
        yield loss, "kept"
        yield loss, "spread"


def _numbers(place: Place) -> list[float]:
    number = getattr(*place)
    return list(number) if isinstance(number, list) else [number]


def _replaced(place: Place) -> list[tf.Variable]:
    """Put variables in the place of numbers."""
    variables = [tf.Variable(float(n), trainable=False) for n in _numbers(place)]
    owner, name = place
    if name == "weight_decay":
        owner.weight_decay = variables[0]
        owner._apply_weight_decay = functools.partial(_apply_weight_decay, owner)
    elif name == "momentum":
        setattr(owner, name, NonZero(getattr(owner, name), variables[0]))
    else:
        is_list = isinstance(getattr(owner, name), list)
        setattr(owner, name, variables if is_list else variables[0])
    return variables


def _apply_weight_decay(
    optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]
) -> None:
    """What Keras does, in the order in which XLA multiplies where the decay is a constant."""
    rate = tf.convert_to_tensor(optimizer.learning_rate)
    product = _decay_times_rate(optimizer, rate)
    for variable in variables:
        if optimizer._use_weight_decay(variable):
            value = in_tensorflow(variable)
            if is_traced_for_xla():
                value.assign_sub(value * product)
            else:
                value.assign_sub(value * optimizer.weight_decay * rate)


def _decay_times_rate(optimizer: keras.optimizers.Optimizer, rate: tf.Tensor) -> tf.Tensor:
    """The product, in which XLA multiplies constants first: the decay and the first rate."""
    decay, schedule = optimizer.weight_decay, copy.copy(optimizer._learning_rate)
    if isinstance(schedule, Cosine | Exponential):
        schedule.initial = decay * schedule.initial
    elif isinstance(schedule, WarmUp) and isinstance(schedule.schedule, Constant):
        schedule.schedule = Constant(decay * schedule.schedule.learning_rate)
    else:
        return decay * rate
    return schedule(optimizer.iterations)


def _state(trainer: Trainer) -> list[Any]:
    """What training changes, other than metrics."""
    return [*trainer.model.variables, *trainer.optimizer.variables]


def _follows_from_its_state(trainer: Trainer, numbers: list[tf.Variable]) -> bool:
    metrics = (*trainer.train_metrics.variables, *trainer.eval_metrics.variables)
    kept = {id(in_tensorflow(variable)) for variable in (*_state(trainer), *metrics, *numbers)}
    step = trainer.traced_train_step
    read = {id(variable) for variable in step.graph.variables}
    return read <= kept and not stateful_random_functions(step)


class NonZero(float):
    """A number that is not 0 as Python sees it, and a variable in a graph.

    Keras asks whether there is a momentum by comparing it with 0, where a variable is refused.
    """

    variable: tf.Variable

    def __new__(cls, number: float, variable: tf.Variable) -> NonZero:
        """Of the number that the variable begins with."""
        made = super().__new__(cls, number)
        made.variable = variable
        return made

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> tf.Tensor:
        """The variable's value."""
        return tf.convert_to_tensor(self.variable, dtype, name=name)
