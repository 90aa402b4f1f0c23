"""Mixed precision: models that compute in 16 bits, and learn as if in 32.

Weights, logits, losses and what the optimizer makes of gradients are float32 always.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import keras
import tensorflow as tf

from trainer.optimization.norms import global_norm

FULL = "float32"


@contextlib.contextmanager
def dtype_policy_scope(precision: str) -> Iterator[None]:
    """Layers made inside compute in a dtype policy of Keras; those made after it do not."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def build_with_dtype_policy(
    precision: str, build: Callable[[], keras.Model], inputs: tf.TensorSpec
) -> keras.Model:
    """The model that is built, its layers made to compute in a dtype policy of Keras.

    Args:
        precision: The policy.
        build: Makes the model, its weights too.
        inputs: What the model is given.
    """
    with dtype_policy_scope(precision):
        model = build()
    return model if precision == FULL else _with_full_logits(model, inputs)


def with_loss_scaling(
    optimizer: keras.optimizers.Optimizer, precision: str
) -> keras.optimizers.Optimizer:
    """The optimizer, with what gradients in float16 need.

    Small ones survive where the loss is scaled up (arXiv 1710.03740). A step in which some are too
    large then is left out, and the scale halved.
    """
    scales_already = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if precision != "mixed_float16" or scales_already:
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)


def unscaled_global_norm(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor | None], scale: tf.Tensor
) -> tf.Tensor:
    """The global norm of the gradients of a loss that was scaled, as if it had not been.

    0 where the optimizer leaves the step out.
    """
    norm = global_norm(gradients) / scale
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return tf.where(tf.math.is_finite(norm), norm, 0.0)
    return norm


def _with_full_logits(model: keras.Model, inputs: tf.TensorSpec) -> keras.Model:
    # Before softmax and loss, for which 16 bits are too few.
    whole = keras.Sequential([model, keras.layers.Activation("linear", dtype=FULL)])
    whole(tf.zeros([1, *inputs.shape[1:]]))
    return whole
