"""MixUp and CutMix: training images mixed two by two, and their labels as much."""

from __future__ import annotations

import dataclasses
import functools

import tensorflow as tf

from trainer.config.config import Config

Shared = tuple[tf.Tensor, tf.Tensor]
"""Images float32 [batch, height, width, channels] and shares of classes, float32 [batch, classes].

The shares of an example add up to 1; those of a padding row are all 0.
"""

MIXED_AT_ONCE = 2
"""Batches."""


@dataclasses.dataclass(frozen=True)
class Mixing:
    """Mixes each example of a batch with another: by MixUp, by CutMix, or each half of the time.

    `mixup` (arXiv 1710.09412) and `cutmix` (arXiv 1905.04899) are the papers' alphas, 0 for never.
    """

    classes: int
    mixup: float = 0.0
    cutmix: float = 0.0

    def mixed(
        self, batches: tf.data.Dataset, seed: int, epoch: int, first: int = 0
    ) -> tf.data.Dataset:
        """An epoch's batches of images and int32 labels from number `first` on, mixed.

        How follows from the seed, the epoch and a batch's number, and from nothing else.
        """

        def mix(number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> Shared:
            drawn_by = tf.random.experimental.stateless_fold_in([seed, epoch], number)
            return _traced_once(self)(*batch, drawn_by)

        return batches.enumerate(first).map(mix, MIXED_AT_ONCE, deterministic=True)

    def unmixed(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Batches of images and int32 labels, with the labels as shares."""
        return batches.map(lambda images, labels: (images, tf.one_hot(labels, self.classes)))

    def share_spec(self, batch_size: int) -> tf.TensorSpec:
        """Of the shares of a batch."""
        return tf.TensorSpec([batch_size, self.classes], tf.float32)

    def mix(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Shared:
        """One batch, mixed.

        Args:
            images: float32 [batch, height, width, channels].
            labels: int32 [batch]; padding rows are -1, come last, and stay as they are.
            seed: int [2], on which alone it depends how they are mixed.
        """
        batch = images, tf.one_hot(labels, self.classes)
        if not self.cutmix:
            return _mixup(batch, _partners(labels), self.mixup, seed)
        if not self.mixup:
            return _cutmix(batch, _partners(labels), self.cutmix, seed)
        which, how = tf.unstack(tf.random.experimental.stateless_split(seed, alg="philox"))
        return tf.cond(
            tf.random.stateless_uniform([], which, alg="philox") < 0.5,
            lambda: _mixup(batch, _partners(labels), self.mixup, how),
            lambda: _cutmix(batch, _partners(labels), self.cutmix, how),
        )


@functools.cache
def _traced_once(mixing: Mixing) -> tf.types.experimental.GenericFunction:
    """`mix` as a graph, however many epochs call it."""
    return tf.function(mixing.mix)


def mixing_from_config(config: Config, classes: int) -> Mixing | None:
    """What `--mixup` and `--cutmix` ask for, if they do."""
    if not (config.mixup or config.cutmix):
        return None
    return Mixing(classes, config.mixup, config.cutmix)


def _partners(labels: tf.Tensor) -> tf.Tensor:
    """With which row each is mixed, int32 [batch]: the next, and the last with the first.

    The order of a training epoch is random already. Padding rows are left with themselves.
    """
    rows = tf.range(tf.size(labels))
    examples = tf.math.count_nonzero(labels >= 0, dtype=tf.int32)
    return tf.where(rows < examples, (rows + 1) % tf.maximum(examples, 1), rows)


def _mixup(batch: Shared, partners: tf.Tensor, alpha: float, seed: tf.Tensor) -> Shared:
    images, shares = batch
    kept = _beta(seed, tf.shape(partners), alpha)
    return (
        _blended(images, partners, kept[:, None, None, None]),
        _blended(shares, partners, kept[:, None]),
    )


def _cutmix(batch: Shared, partners: tf.Tensor, alpha: float, seed: tf.Tensor) -> Shared:
    images, shares = batch
    inside = _boxes(seed, images.shape, alpha)
    cut = tf.reduce_mean(tf.cast(inside, tf.float32), axis=[1, 2])
    mixed = tf.where(inside[..., None], tf.gather(images, partners), images)
    return mixed, _blended(shares, partners, 1 - cut[:, None])


def _blended(values: tf.Tensor, partners: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    return kept * values + (1 - kept) * tf.gather(values, partners)


def _boxes(seed: tf.Tensor, shape: tf.TensorShape, alpha: float) -> tf.Tensor:
    """The pixels that another image takes, bool [batch, height, width]: a box of each.

    Its share of the image is drawn from Beta(alpha, alpha), its centre evenly; what of it lies
    beyond the edges is lost (the paper's algorithm 1).
    """
    batch, height, width, _ = shape
    of_size, *of_centre = tf.unstack(tf.random.experimental.stateless_split(seed, 3, alg="philox"))
    side = tf.sqrt(1 - _beta(of_size, [batch], alpha))
    rows, columns = (
        _stretches(drawn_by, side, length)
        for drawn_by, length in zip(of_centre, (height, width), strict=True)
    )
    return rows[:, :, None] & columns[:, None, :]


def _stretches(seed: tf.Tensor, side: tf.Tensor, length: int) -> tf.Tensor:
    """Which pixels of a row a box covers, bool [batch, length]; its side is a share of them."""
    half = tf.cast(side * length, tf.int32) // 2
    centre = tf.random.stateless_uniform(tf.shape(side), seed, 0, length, tf.int32, alg="philox")
    places = tf.range(length)
    return (places >= (centre - half)[:, None]) & (places < (centre + half)[:, None])


def _beta(seed: tf.Tensor, shape: tf.Tensor, alpha: float) -> tf.Tensor:
    """Numbers of Beta(alpha, alpha), float32: one gamma's share of two."""
    one, other = tf.unstack(tf.random.experimental.stateless_split(seed, alg="philox"))
    return tf.sigmoid(_log_gamma(one, shape, alpha) - _log_gamma(other, shape, alpha))


def _log_gamma(seed: tf.Tensor, shape: tf.Tensor, alpha: float) -> tf.Tensor:
    # Of a small alpha most gammas are too near to 0 for any float, but their logarithms are not:
    # Gamma(alpha) is Gamma(alpha + 1) times U^(1 / alpha) (Marsaglia and Tsang, 2000).
    of_gamma, of_uniform = tf.unstack(tf.random.experimental.stateless_split(seed, alg="philox"))
    gamma = tf.random.stateless_gamma(shape, of_gamma, alpha + 1)
    uniform = tf.random.stateless_uniform(shape, of_uniform, minval=1e-30, alg="philox")
    return tf.math.log(gamma) + tf.math.log(uniform) / alpha
