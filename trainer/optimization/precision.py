"""Mixed precision: dtype policies, scaled losses, and the norm of the gradients.

Weights, logits, losses and the optimizer's updates are float32 in every policy.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterable, Iterator, Sequence

import keras
import tensorflow as tf

FULL = "float32"

_for_xla = contextvars.ContextVar("for_xla", default=False)


@contextlib.contextmanager
def dtype_policy_scope(precision: str) -> Iterator[None]:
    """Inside, new layers get a dtype policy of Keras."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def build_with_dtype_policy(precision: str, build: Callable[[], keras.Model]) -> keras.Model:
    """A model whose layers have a dtype policy of Keras, with float32 logits.

    Args:
        precision: The policy.
        build: Makes the model.
    """
    with dtype_policy_scope(precision):
        model = build()
    if precision == FULL:
        return model
    # Before softmax and loss, for which 16 bits are too few.
    return keras.Sequential([model, keras.layers.Activation("linear", dtype=FULL)])


class CheckedLossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """Records whether a loss was scaled: gradients of any other loss would be far too small."""

    has_scaled = False

    def scale_loss(self, loss: tf.Tensor) -> tf.Tensor:
        """The loss times the scale."""
        self.has_scaled = True
        return super().scale_loss(loss)


def with_loss_scaling(
    optimizer: keras.optimizers.Optimizer, precision: str
) -> keras.optimizers.Optimizer:
    """The optimizer, with a scaled loss in float16 (arXiv 1710.03740).

    Scaling keeps small gradients from becoming 0. A step with gradients that overflow is skipped,
    and the scale halved.
    """
    is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if precision != "mixed_float16" or is_scaled:
        return optimizer
    return CheckedLossScaleOptimizer(optimizer)


def unscaled_global_norm(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor | None]
) -> tf.Tensor:
    """The global norm of gradients, divided by the scale of the loss if the optimizer has one.

    0 where the optimizer skips the step because a gradient overflows.
    """
    norm = global_norm(gradients)
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return norm
    scale = keras.optimizers.LossScaleOptimizer.scale_loss(optimizer, 1.0)
    return tf.where(tf.math.is_finite(norm), norm / scale, 0.0)


def global_norm(gradients: Iterable[tf.Tensor | tf.IndexedSlices | None]) -> tf.Tensor:
    """The Euclidean norm of all gradients as one vector, scalar; None is omitted."""
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    # XLA on a CPU sums a whole matrix number by number, but its columns side by side; TensorFlow's
    # own kernel is faster for the whole matrix.
    parts = [_column_norms(gradient) for gradient in dense] if _for_xla.get() else dense
    return tf.linalg.global_norm(parts)


@contextlib.contextmanager
def traced_for_xla(compiled: bool) -> Iterator[None]:
    """Inside, `global_norm` is traced as XLA runs it fastest, or as TensorFlow does."""
    token = _for_xla.set(compiled)
    try:
        yield
    finally:
        _for_xla.reset(token)


def is_traced_for_xla() -> bool:
    """Whether what is traced now is compiled by XLA."""
    return _for_xla.get()


def _column_norms(gradient: tf.Tensor) -> tf.Tensor:
    squares = tf.square(gradient)
    return tf.sqrt(tf.reduce_sum(squares, axis=list(range(squares.shape.rank - 1))))
