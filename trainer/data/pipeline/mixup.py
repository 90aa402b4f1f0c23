"""MixUp and CutMix: training images mixed in pairs, and their labels in the same proportion."""

from __future__ import annotations

import dataclasses
import functools

import tensorflow as tf

from trainer.config.config import Config

SoftBatch = tuple[tf.Tensor, tf.Tensor]
"""Images float32 [batch, height, width, channels] and soft labels, float32 [batch, classes].

The soft labels of an example add up to 1.
"""

PARALLEL_BATCHES = 2


@dataclasses.dataclass(frozen=True)
class Mixing:
    """Mixes each example of a batch with another: by MixUp, by CutMix, or each half of the time.

    `mixup` (arXiv 1710.09412) and `cutmix` (arXiv 1905.04899) are the papers' alphas, 0 for never.
    """

    classes: int
    mixup: float = 0.0
    cutmix: float = 0.0

    @classmethod
    def from_config(cls, config: Config, classes: int) -> Mixing | None:
        """The mixing of `--mixup` and `--cutmix`; None where both are 0."""
        if not (config.mixup or config.cutmix):
            return None
        return cls(classes, config.mixup, config.cutmix)

    def apply(
        self,
        batches: tf.data.Dataset,
        examples: int,
        seed: int,
        epoch: int | tf.Tensor,
        first: int | tf.Tensor = 0,
    ) -> tf.data.Dataset:
        """An epoch's batches (images, int32 labels, …) from number `first` on, mixed.

        What stands behind the labels stays as it is.

        The mixing follows from the seed, the epoch and a batch's number, and from nothing else.
        Rows behind the epoch's `examples`, which fill up the last batch, are mixed with no other.
        """

        def mix(number: tf.Tensor, batch: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            images, labels, *others = batch
            batch_seed = tf.random.experimental.stateless_fold_in([seed, epoch], number)
            rows = tf.size(labels)
            left = examples - tf.cast(number, tf.int32) * rows
            mixed = _traced_once(self)(images, labels, tf.minimum(rows, left), batch_seed)
            return *mixed, *others

        return batches.enumerate(first).map(mix, PARALLEL_BATCHES, deterministic=True)

    def one_hot(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Batches (images, int32 labels, …), not mixed, with soft labels all the same."""
        return batches.map(
            lambda images, labels, *others: (images, tf.one_hot(labels, self.classes), *others)
        )

    def label_spec(self, batch_size: int) -> tf.TensorSpec:
        """The spec of a batch's soft labels."""
        return tf.TensorSpec([batch_size, self.classes], tf.float32)

    def mix(
        self, images: tf.Tensor, labels: tf.Tensor, examples: tf.Tensor, seed: tf.Tensor
    ) -> SoftBatch:
        """One batch, mixed.

        Args:
            images: float32 [batch, height, width, channels].
            labels: int32 [batch].
            examples: int32 scalar; rows behind the first so many stay as they are.
            seed: int [2], on which alone the mixing depends.
        """
        batch = images, tf.one_hot(labels, self.classes)
        partners = _partners(tf.size(labels), examples)
        if not self.cutmix:
            return _mixup(batch, partners, self.mixup, seed)
        if not self.mixup:
            return _cutmix(batch, partners, self.cutmix, seed)
        which, how = tf.unstack(tf.random.experimental.stateless_split(seed, alg="philox"))
        return tf.cond(
            tf.random.stateless_uniform([], which, alg="philox") < 0.5,
            lambda: _mixup(batch, partners, self.mixup, how),
            lambda: _cutmix(batch, partners, self.cutmix, how),
        )


@functools.cache
def _traced_once(mixing: Mixing) -> tf.types.experimental.GenericFunction:
    """`mix` as one graph for all epochs."""
    return tf.function(mixing.mix)


def _partners(rows: tf.Tensor, examples: tf.Tensor) -> tf.Tensor:
    """The row that each is mixed with, int32 [rows]: the next, and for the last the first.

    The order of a training epoch is random already. Rows behind the examples are their own.
    """
    numbers = tf.range(rows)
    return tf.where(numbers < examples, (numbers + 1) % examples, numbers)


def _mixup(batch: SoftBatch, partners: tf.Tensor, alpha: float, seed: tf.Tensor) -> SoftBatch:
    images, soft_labels = batch
    kept = _beta(seed, tf.shape(partners), alpha)
    return (
        _blend(images, partners, kept[:, None, None, None]),
        _blend(soft_labels, partners, kept[:, None]),
    )


def _cutmix(batch: SoftBatch, partners: tf.Tensor, alpha: float, seed: tf.Tensor) -> SoftBatch:
    images, soft_labels = batch
    inside = rand_bbox(seed, images.shape, alpha)
    cut = tf.reduce_mean(tf.cast(inside, tf.float32), axis=[1, 2])
    mixed = tf.where(inside[..., None], tf.gather(images, partners), images)
    return mixed, _blend(soft_labels, partners, 1 - cut[:, None])


def _blend(values: tf.Tensor, partners: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    return kept * values + (1 - kept) * tf.gather(values, partners)


def rand_bbox(seed: tf.Tensor, shape: tf.TensorShape, alpha: float) -> tf.Tensor:
    """The pixels that another image takes, bool [batch, height, width]: a box of each.

    Its share of the image is drawn from Beta(alpha, alpha), its centre evenly; what of it lies
    beyond the edges is lost (the paper's algorithm 1).
    """
    batch, height, width, _ = shape
    size_seed, *centre_seeds = tf.unstack(
        tf.random.experimental.stateless_split(seed, 3, alg="philox")
    )
    side = tf.sqrt(1 - _beta(size_seed, [batch], alpha))
    rows, columns = (
        _stretches(seed, side, length)
        for seed, length in zip(centre_seeds, (height, width), strict=True)
    )
    return rows[:, :, None] & columns[:, None, :]


def _stretches(seed: tf.Tensor, side: tf.Tensor, length: int) -> tf.Tensor:
    """Which pixels of a row a box covers, bool [batch, length]; its side is a share of them."""
    half = tf.cast(side * length, tf.int32) // 2
    centre = tf.random.stateless_uniform(tf.shape(side), seed, 0, length, tf.int32, alg="philox")
    places = tf.range(length)
    return (places >= (centre - half)[:, None]) & (places < (centre + half)[:, None])


def _beta(seed: tf.Tensor, shape: tf.Tensor, alpha: float) -> tf.Tensor:
    """Samples of Beta(alpha, alpha), float32: one of two gammas over their sum."""
    one, other = tf.unstack(tf.random.experimental.stateless_split(seed, alg="philox"))
    return tf.sigmoid(_log_gamma(one, shape, alpha) - _log_gamma(other, shape, alpha))


def _log_gamma(seed: tf.Tensor, shape: tf.Tensor, alpha: float) -> tf.Tensor:
    # Of a small alpha most gammas are too near to 0 for any float, but their logarithms are not:
    # Gamma(alpha) is Gamma(alpha + 1) times U^(1 / alpha) (Marsaglia and Tsang, 2000).
    gamma_seed, uniform_seed = tf.unstack(
        tf.random.experimental.stateless_split(seed, alg="philox")
    )
    gamma = tf.random.stateless_gamma(shape, gamma_seed, alpha + 1)
    uniform = tf.random.stateless_uniform(shape, uniform_seed, minval=1e-30, alg="philox")
    return tf.math.log(gamma) + tf.math.log(uniform) / alpha
