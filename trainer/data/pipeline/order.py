"""The order of an epoch: a function of the seed and the epoch, and of nothing else."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

BLOCK_OF_COUNTS = -1
"""In place of the number of a block: another order than that of any block."""

_NUMBER = tf.TensorSpec([], tf.int32)


@tf.function(input_signature=[_NUMBER, _NUMBER, _NUMBER, _NUMBER])
def epoch_order(
    count: int | tf.Tensor, seed: int, epoch: int | tf.Tensor, block: int | tf.Tensor = 0
) -> tf.Tensor:
    """The numbers 0 … count - 1 in the order of an epoch, int32 [count].

    A split too large to be shuffled at once is shuffled block by block, each its own way.
    """
    block_seed = tf.random.experimental.stateless_fold_in(tf.stack([seed, epoch]), block)
    # One named algorithm: the default may be another on another device.
    return tf.random.experimental.stateless_shuffle(tf.range(count), block_seed, alg="philox")


def blockwise_order(count: int, together: int | None, seed: int, epoch: int) -> np.ndarray:
    """The order of a split of which so many are shuffled at once, all when None; int32 [count]."""
    starts = range(0, count, together or count)
    sizes = (min(together or count, count - start) for start in starts)
    orders = (epoch_order(size, seed, epoch, block).numpy() for block, size in enumerate(sizes))
    return np.concatenate([start + order for start, order in zip(starts, orders, strict=True)])


def balanced_counts(labels: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """How often a balanced epoch takes each example, int64 [examples]; in all as many as there are.

    The classes take turns. Of a class that has fewer examples than turns each comes about equally
    often; of one that has more a part, in every epoch another.

    Args:
        labels: The class of each example, int [examples].
        seed: The choice follows from it and the epoch.
        epoch: Its number.
    """
    drawn = epoch_order(len(labels), seed, epoch, BLOCK_OF_COUNTS).numpy()
    by_class = drawn[np.argsort(labels[drawn], kind="stable")]
    _, firsts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    turns = np.arange(len(labels))
    of_turn = (turns + epoch) % len(sizes)
    chosen = by_class[firsts[of_turn] + turns // len(sizes) % sizes[of_turn]]
    return np.bincount(chosen, minlength=len(labels))


def repeated(counts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Each number from 0 on as often as its count says, int32 [sum of the counts].

    And how often it has come before, int32 of the same shape.
    """
    numbers = tf.repeat(tf.range(tf.size(counts)), counts)
    before = tf.repeat(tf.cumsum(tf.cast(counts, tf.int32), exclusive=True), counts)
    return numbers, tf.range(tf.size(numbers)) - before
