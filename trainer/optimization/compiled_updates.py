"""The optimizer's update as one program of XLA, in a step that is not compiled otherwise.

As TensorFlow runs Keras' Adam, each of its operations passes over the memory of all weights, some
fourteen times in a step; XLA's program reads and writes each number about once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from keras.optimizers import Optimizer

from trainer.core.text import first_line
from trainer.optimization.precision import traced_for_xla

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def compiled_updates() -> Iterator[None]:
    """Inside, the update of each optimizer that is traced is compiled by XLA, where it can be."""
    apply = Optimizer.apply
    Optimizer.apply = functools.partialmethod(_apply, apply)
    try:
        yield
    finally:
        Optimizer.apply = apply


def _apply(
    optimizer: Optimizer,
    apply: Callable[..., None],
    gradients: Any,
    trainable_variables: Any = None,
) -> None:
    gradients = list(gradients)
    present = [gradient for gradient in gradients if gradient is not None]

    def update(*dense: tf.Tensor) -> None:
        values = iter(dense)
        with traced_for_xla(True):
            apply(
                optimizer,
                [None if gradient is None else next(values) for gradient in gradients],
                trainable_variables,
            )

    program = tf.function(update, jit_compile=True, autograph=False)
    if _has_static_shapes(present) and _can_be_compiled(program, present):
        program(*present)
    else:
        apply(optimizer, gradients, trainable_variables)


def _has_static_shapes(gradients: Sequence[Any]) -> bool:
    """Whether all are tensors in a graph of one device, of shapes that are known there."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if not tf.inside_function() or replicas > 1:  # which exchange something within updates
        return False
    tensors = [gradient for gradient in gradients if isinstance(gradient, tf.Tensor)]
    known = all(tensor.shape.is_fully_defined() for tensor in tensors)
    return known and bool(tensors) and len(tensors) == len(gradients)


def _can_be_compiled(
    program: tf.types.experimental.GenericFunction, gradients: Sequence[tf.Tensor]
) -> bool:
    """Whether XLA knows all operations of an update; it is translated, and not run."""
    specs = [tf.TensorSpec(gradient.shape, gradient.dtype) for gradient in gradients]
    with tf.init_scope():
        try:
            program.experimental_get_compiler_ir(*specs)(stage="hlo")
        except ValueError as error:
            logger.info("the optimizer runs uncompiled, more slowly: %s", first_line(error))
            return False
    return True
