"""MixUp and CutMix: images mixed in pairs, and their labels in the same proportion."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config
from trainer.data.pipeline.mixup import Mixing, _beta

BATCH, SIDE, CLASSES = 8, 16, 3
MIXUP, CUTMIX = Mixing(CLASSES, mixup=0.4), Mixing(CLASSES, cutmix=1.0)
EITHER = Mixing(CLASSES, mixup=0.4, cutmix=1.0)
EVERY_KIND = pytest.mark.parametrize("mixing", [MIXUP, CUTMIX, EITHER], ids=str)

LABELS = tf.constant([0, 1, 2, 0, 1, 2, 0, 1])
SHADES = (1 + tf.range(BATCH, dtype=tf.float32)) / 10
IMAGES = tf.ones([BATCH, SIDE, SIDE, 3]) * SHADES[:, None, None, None]
"""Each of one shade, so that every pixel shows which images it comes from."""


def mixed(mixing, seed=(0, 0), examples=BATCH):
    """A batch of which so many rows are examples, and the rest fill it up."""
    batch = mixing.mix(IMAGES, LABELS, tf.constant(examples), tf.constant(seed, tf.int64))
    return [tensor.numpy() for tensor in batch]


def epoch_of(mixing, seed=0, epoch=0, batches=4):
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(batches)
    return [images.numpy() for images, _ in mixing.apply(data, batches * BATCH, seed, epoch)]


def partner_shades(examples=BATCH):
    """The shade of the image that each is mixed with."""
    return np.roll(SHADES[:examples], -1)


@EVERY_KIND
def test_the_soft_labels_of_an_example_add_up_to_1(mixing):
    for seed in range(5):
        _, soft = mixed(mixing, (seed, 0))
        np.testing.assert_allclose(soft.sum(axis=1), np.ones(BATCH), atol=1e-6)
        assert soft.min() >= 0


@EVERY_KIND
def test_shapes_and_types_are_those_of_the_spec(mixing):
    images, soft = mixed(mixing)
    assert (images.shape, images.dtype) == (IMAGES.shape, np.float32)
    spec = mixing.label_spec(BATCH)
    assert (soft.shape, soft.dtype) == (spec.shape, spec.dtype.as_numpy_dtype)


@EVERY_KIND
def test_labels_are_mixed_with_the_next_in_the_proportion_of_the_pixels(mixing):
    images, soft = mixed(mixing)
    own = (images.mean((1, 2, 3)) - partner_shades()) / (SHADES - partner_shades())
    labels = LABELS.numpy()
    expected = own[:, None] * np.eye(CLASSES)[labels]
    expected += (1 - own)[:, None] * np.eye(CLASSES)[np.roll(labels, -1)]
    np.testing.assert_allclose(soft, expected, atol=1e-4)


@EVERY_KIND
def test_rows_that_fill_up_the_batch_stay_as_they_are(mixing):
    images, soft = mixed(mixing, examples=5)
    np.testing.assert_allclose(images[5:], IMAGES[5:], atol=1e-6)
    np.testing.assert_allclose(soft[5:], tf.one_hot(LABELS[5:], CLASSES), atol=1e-6)


@EVERY_KIND
def test_no_example_is_mixed_with_a_row_that_fills_up(mixing):
    for seed in range(5):
        images, soft = mixed(mixing, (seed, 0), examples=5)
        highest = np.maximum(SHADES[:5], partner_shades(5))
        assert (images[:5].max((1, 2, 3)) <= highest + 1e-6).all()
        np.testing.assert_allclose(soft[:5].sum(axis=1), np.ones(5), atol=1e-6)


@EVERY_KIND
def test_the_only_example_of_a_batch_stays_as_it_is(mixing):
    images, soft = mixed(mixing, examples=1)
    np.testing.assert_allclose(images[0], IMAGES[0], atol=1e-6)
    np.testing.assert_allclose(soft[0], tf.one_hot(LABELS[0], CLASSES), atol=1e-6)


@EVERY_KIND
def test_in_the_last_batch_of_an_epoch_only_its_examples_are_mixed(mixing):
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(2)
    *_, (images, _) = mixing.apply(data, BATCH + 5, seed=0, epoch=0)
    np.testing.assert_allclose(images[5:], IMAGES[5:], atol=1e-6)
    assert not np.allclose(images[:5], IMAGES[:5])


def test_mixup_gives_every_pixel_of_an_image_one_weight():
    images, _ = mixed(MIXUP)
    assert np.ptp(images, axis=(1, 2, 3)).max() < 1e-6
    assert len(np.unique(images[:, 0, 0, 0])) == BATCH


def test_cutmix_puts_a_box_of_one_image_into_another():
    images, _ = mixed(CUTMIX)
    for image, own, other in zip(images[..., 0], SHADES, partner_shades(), strict=True):
        inside = np.isclose(image, other)
        assert (inside | np.isclose(image, own)).all()
        rows, columns = inside.any(1), inside.any(0)
        np.testing.assert_array_equal(inside, rows[:, None] & columns[None, :])
        for line in (rows, columns):
            assert np.abs(np.diff(line.astype(int))).sum() <= 2


def test_half_of_the_batches_are_cut_with_both_options():
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(60)
    batches = EITHER.apply(data, 60 * BATCH, 0, 0)
    cut = [np.ptp(images, axis=(1, 2, 3)).max() > 1e-3 for images, _ in batches]
    assert 15 < sum(cut) < 45


# Beta.


@pytest.mark.parametrize("alpha", [1e-4, 0.1, 0.4, 1.0, 8.0])
def test_weights_are_of_the_beta_distribution(alpha):
    drawn = _beta(tf.constant([1, 2]), [4000], alpha).numpy()
    assert np.isfinite(drawn).all()
    assert drawn.mean() == pytest.approx(0.5, abs=0.04)
    assert drawn.var() == pytest.approx(0.25 / (2 * alpha + 1), rel=0.1)


# What the mixing follows from.


@EVERY_KIND
def test_the_same_seed_and_epoch_mix_the_same(mixing):
    for one, again in zip(epoch_of(mixing), epoch_of(mixing), strict=True):
        np.testing.assert_array_equal(one, again)


@EVERY_KIND
def test_every_batch_of_an_epoch_is_mixed_in_its_own_way(mixing):
    assert len({images.tobytes() for images in epoch_of(mixing)}) == 4


@EVERY_KIND
@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_mixes_otherwise(mixing, other):
    first = {images.tobytes() for images in epoch_of(mixing)}
    assert not first & {images.tobytes() for images in epoch_of(mixing, **other)}


@EVERY_KIND
def test_from_a_later_batch_on_they_are_mixed_as_in_the_whole_epoch(mixing):
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(2)
    rest = [images.numpy() for images, _ in mixing.apply(data, 4 * BATCH, 0, 0, first=2)]
    np.testing.assert_array_equal(rest, epoch_of(mixing)[2:])


def test_batches_that_are_not_mixed_have_soft_labels_too():
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS))
    [(images, soft)] = MIXUP.one_hot(data)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(soft, tf.one_hot(LABELS, CLASSES))


# From the options.


def test_without_an_option_nothing_is_mixed():
    assert Mixing.from_config(Config(), CLASSES) is None


def test_options_are_the_alphas():
    assert Mixing.from_config(Config(mixup=0.2, cutmix=1.0), CLASSES) == Mixing(CLASSES, 0.2, 1.0)
