"""Moving averages of weights over the steps (arXiv 1803.05407), which often evaluate better."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def ema_weights(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Inside, the model has the averages of its weights, if the optimizer keeps averages.

    Afterwards it has its own weights again, from which training continues; after an exception too.
    """
    if not _has_averages(optimizer):
        yield
        return
    variables = model.trainable_variables
    own = [variable.numpy() for variable in variables]
    try:
        with _updating(optimizer)._distribution_strategy.scope():  # it assigns on every replica
            optimizer.finalize_variable_values(variables)
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)


def _has_averages(optimizer: keras.optimizers.Optimizer) -> bool:
    updating = _updating(optimizer)
    # Before the first update the averages are zeros.
    return updating.use_ema and int(keras.ops.convert_to_numpy(updating.iterations)) > 0


def _updating(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The one that changes weights: of a LossScaleOptimizer the inner one."""
    return getattr(optimizer, "inner_optimizer", optimizer)
