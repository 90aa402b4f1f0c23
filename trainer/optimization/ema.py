"""Averages of weights over the steps (arXiv 1803.05407), which evaluate better than the last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def ema_weights(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Inside, the model has its averaged weights, if the optimizer keeps averages.

    After it, whatever happens inside, its own again, from which training goes on.
    """
    if not _keeps_averages(optimizer):
        yield
        return
    variables = model.trainable_variables
    own = [variable.numpy() for variable in variables]
    try:
        optimizer.finalize_variable_values(variables)
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)


def _keeps_averages(optimizer: keras.optimizers.Optimizer) -> bool:
    updating = getattr(optimizer, "inner_optimizer", optimizer)  # within that which scales losses
    # Until weights have changed there are no averages, but zeros.
    return updating.use_ema and int(updating.iterations) > 0
