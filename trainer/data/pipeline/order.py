"""The order of an epoch: a function of the seed and the epoch, and of nothing else."""

from __future__ import annotations

import tensorflow as tf


def epoch_order(
    count: int | tf.Tensor, seed: int, epoch: int, block: int | tf.Tensor = 0
) -> tf.Tensor:
    """The numbers 0 … count - 1 in the order of an epoch, int32 [count].

    A split too large to be shuffled at once is shuffled block by block, each its own way.
    """
    block_seed = tf.random.experimental.stateless_fold_in([seed, epoch], tf.cast(block, tf.int32))
    # One named algorithm: the default may be another on another device.
    return tf.random.experimental.stateless_shuffle(tf.range(count), block_seed, alg="philox")
