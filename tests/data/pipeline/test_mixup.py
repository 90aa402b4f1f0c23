"""MixUp and CutMix: images mixed two by two, and their labels by just as much."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config
from trainer.data.pipeline.mixup import Mixing, _beta, mixing_from_config

BATCH, SIDE, CLASSES = 8, 16, 3
MIXUP, CUTMIX = Mixing(CLASSES, mixup=0.4), Mixing(CLASSES, cutmix=1.0)
EITHER = Mixing(CLASSES, mixup=0.4, cutmix=1.0)
EVERY_KIND = pytest.mark.parametrize("mixing", [MIXUP, CUTMIX, EITHER], ids=str)

LABELS = tf.constant([0, 1, 2, 0, 1, 2, 0, 1])
SHADES = (1 + tf.range(BATCH, dtype=tf.float32)) / 10
IMAGES = tf.ones([BATCH, SIDE, SIDE, 3]) * SHADES[:, None, None, None]
"""Each of one shade, so that a pixel tells which images it comes from."""

PADDED = tf.constant([0, 1, 2, 0, 1, -1, -1, -1])
PADDED_IMAGES = tf.where(PADDED[:, None, None, None] < 0, 0.0, IMAGES)


def mixed(mixing, seed=(0, 0), images=IMAGES, labels=LABELS):
    out = mixing.mix(images, labels, tf.constant(seed, tf.int64))
    return [tensor.numpy() for tensor in out]


def epoch_of(mixing, seed=0, epoch=0, batches=4):
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(batches)
    return [images.numpy() for images, _ in mixing.mixed(data, seed, epoch)]


def partner_shades(examples=BATCH):
    """The shade of the image that each is mixed with."""
    return np.roll(SHADES[:examples], -1)


@EVERY_KIND
def test_shares_of_an_example_add_up_to_one(mixing):
    for seed in range(5):
        _, shares = mixed(mixing, (seed, 0))
        np.testing.assert_allclose(shares.sum(axis=1), np.ones(BATCH), atol=1e-6)
        assert shares.min() >= 0


@EVERY_KIND
def test_shapes_and_types_are_those_told(mixing):
    images, shares = mixed(mixing)
    assert (images.shape, images.dtype) == (IMAGES.shape, np.float32)
    spec = mixing.share_spec(BATCH)
    assert (shares.shape, shares.dtype) == (spec.shape, spec.dtype.as_numpy_dtype)


@EVERY_KIND
def test_an_example_is_shared_with_the_next_as_its_pixels_are(mixing):
    images, shares = mixed(mixing)
    own = (images.mean((1, 2, 3)) - partner_shades()) / (SHADES - partner_shades())
    labels = LABELS.numpy()
    expected = own[:, None] * np.eye(CLASSES)[labels]
    expected += (1 - own)[:, None] * np.eye(CLASSES)[np.roll(labels, -1)]
    np.testing.assert_allclose(shares, expected, atol=1e-4)


@EVERY_KIND
def test_padding_rows_stay_black_and_without_any_share(mixing):
    images, shares = mixed(mixing, images=PADDED_IMAGES, labels=PADDED)
    assert not images[5:].any()
    assert not shares[5:].any()


@EVERY_KIND
def test_no_example_is_mixed_with_padding(mixing):
    for seed in range(5):
        images, shares = mixed(mixing, (seed, 0), PADDED_IMAGES, PADDED)
        least = np.minimum(SHADES[:5], partner_shades(5))
        assert (images[:5].min((1, 2, 3)) >= least - 1e-6).all()
        np.testing.assert_allclose(shares[:5].sum(axis=1), np.ones(5), atol=1e-6)


@EVERY_KIND
@pytest.mark.parametrize("labels", [[2] + [-1] * 7, [-1] * 8])
def test_an_example_alone_stays_as_it_is(mixing, labels):
    labels = tf.constant(labels)
    pictures = tf.where(labels[:, None, None, None] < 0, 0.0, IMAGES)
    images, shares = mixed(mixing, images=pictures, labels=labels)
    np.testing.assert_allclose(images, pictures, atol=1e-6)
    np.testing.assert_allclose(shares, tf.one_hot(labels, CLASSES), atol=1e-6)


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


def test_half_of_the_batches_are_cut_where_both_are_asked_for():
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(60)
    cut = [np.ptp(images, axis=(1, 2, 3)).max() > 1e-3 for images, _ in EITHER.mixed(data, 0, 0)]
    assert 15 < sum(cut) < 45


# Beta.


@pytest.mark.parametrize("alpha", [1e-4, 0.1, 0.4, 1.0, 8.0])
def test_weights_are_of_the_beta_distribution(alpha):
    drawn = _beta(tf.constant([1, 2]), [4000], alpha).numpy()
    assert np.isfinite(drawn).all()
    assert drawn.mean() == pytest.approx(0.5, abs=0.04)
    assert drawn.var() == pytest.approx(0.25 / (2 * alpha + 1), rel=0.1)


# Of what it is a function.


@EVERY_KIND
def test_the_same_seed_and_epoch_mix_the_same(mixing):
    for one, again in zip(epoch_of(mixing), epoch_of(mixing), strict=True):
        np.testing.assert_array_equal(one, again)


@EVERY_KIND
def test_batches_of_an_epoch_are_mixed_each_its_own_way(mixing):
    assert len({images.tobytes() for images in epoch_of(mixing)}) == 4


@EVERY_KIND
@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_mixes_anew(mixing, other):
    kept = {images.tobytes() for images in epoch_of(mixing)}
    assert not kept & {images.tobytes() for images in epoch_of(mixing, **other)}


@EVERY_KIND
def test_from_a_later_batch_on_they_are_mixed_as_in_the_whole_epoch(mixing):
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(2)
    rest = [images.numpy() for images, _ in mixing.mixed(data, 0, 0, first=2)]
    np.testing.assert_array_equal(rest, epoch_of(mixing)[2:])


def test_unmixed_batches_have_their_labels_as_shares():
    data = tf.data.Dataset.from_tensors((PADDED_IMAGES, PADDED))
    [(images, shares)] = MIXUP.unmixed(data)
    np.testing.assert_array_equal(images, PADDED_IMAGES)
    np.testing.assert_array_equal(shares, tf.one_hot(PADDED, CLASSES))


# From the options.


def test_no_option_is_no_mixing():
    assert mixing_from_config(Config(), CLASSES) is None


def test_options_are_the_alphas():
    assert mixing_from_config(Config(mixup=0.2, cutmix=1.0), CLASSES) == Mixing(CLASSES, 0.2, 1.0)
