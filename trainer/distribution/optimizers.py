"""Optimizers of Keras on several replicas.

They sum the gradients of the replicas up, after each has clipped its own. Then a clipped gradient
is not that of one device, and a loss must be divided by the number of replicas.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras.optimizers import LossScaleOptimizer, Optimizer

_applying = contextvars.ContextVar("applying", default=False)
"""Whether an optimizer is at work, which may call another with gradients that are averaged."""


@contextlib.contextmanager
def averaged_gradients(mean: Callable[[Any], Any]) -> Iterator[None]:
    """Inside, every optimizer gets the gradients averaged over the replicas, before all else."""
    patched = {Optimizer: Optimizer.apply, LossScaleOptimizer: LossScaleOptimizer.apply}
    summed = Optimizer._all_reduce_sum_gradients
    for kind, apply in patched.items():
        kind.apply = functools.partialmethod(_apply, apply, mean)
    Optimizer._all_reduce_sum_gradients = _as_they_are
    try:
        yield
    finally:
        Optimizer._all_reduce_sum_gradients = summed
        for kind, apply in patched.items():
            kind.apply = apply


def _apply(
    optimizer: keras.optimizers.Optimizer,
    apply: Callable[..., None],
    mean: Callable[[Any], Any],
    gradients: Any,
    trainable_variables: Any = None,
) -> None:
    if _applying.get():
        apply(optimizer, gradients, trainable_variables)
        return
    token = _applying.set(True)
    try:
        apply(optimizer, mean(list(gradients)), trainable_variables)
    finally:
        _applying.reset(token)


def _as_they_are(_: keras.optimizers.Optimizer, pairs: Any) -> list[Any]:
    return list(pairs)
