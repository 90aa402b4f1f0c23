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


def build_with_dtype_policy(precision: str, build: Callable[[], keras.Model]) -> keras.Model:
    """A model whose layers compute in a dtype policy of Keras, with float32 logits.

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
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor | None]
) -> tf.Tensor:
    """The global norm of gradients, without the scale of the loss that an optimizer asks for.

    0 where the optimizer will skip the step.
    """
    norm = global_norm(gradients)
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return norm
    return tf.where(tf.math.is_finite(norm), norm / optimizer.scale_loss(1.0), 0.0)
