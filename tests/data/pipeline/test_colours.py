"""Changes of colours: those of TensorFlow and of Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from trainer.data.pipeline import colours

PIXELS = np.random.default_rng(0).integers(10, 200, [16, 12, 3]).astype(np.uint8)
PICTURE = tf.constant(PIXELS / 255, tf.float32)
PILLOW = Image.fromarray(PIXELS)
ROUNDING = 1.01 / 255
"""Pillow computes in 8 bits."""


def assert_as_pillow(changed, expected, atol=ROUNDING):
    clipped = np.clip(changed, 0, 1)
    np.testing.assert_allclose(clipped, np.asarray(expected) / 255, rtol=0, atol=atol)


@pytest.mark.parametrize("turn", [-0.5, -0.1, 0.0, 0.3])
def test_a_hue_is_turned_as_tensorflow_turns_it(turn):
    turned = colours.adjust_hue_and_saturation(PICTURE, tf.constant(turn), tf.constant(1.0))
    np.testing.assert_allclose(turned, tf.image.adjust_hue(PICTURE, turn), atol=1e-5)


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 3.0])
def test_a_saturation_is_that_of_tensorflow(factor):
    saturated = colours.adjust_hue_and_saturation(PICTURE, tf.constant(0.0), tf.constant(factor))
    expected = tf.image.adjust_saturation(PICTURE, factor)
    np.testing.assert_allclose(saturated, expected, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_grey_pixels_have_no_hue(value):
    grey = tf.fill([2, 2, 3], value)
    turned = colours.adjust_hue_and_saturation(grey, tf.constant(0.3), tf.constant(2.0))
    np.testing.assert_array_equal(turned, grey)


def test_images_of_one_channel_have_no_hue():
    one = PICTURE[..., :1]
    turned = colours.adjust_hue_and_saturation(one, tf.constant(0.3), tf.constant(2.0))
    np.testing.assert_array_equal(turned, one)


@pytest.mark.parametrize("factor", [0.1, 0.7, 1.0, 1.9])
@pytest.mark.parametrize(
    ("change", "enhance"),
    [
        (colours.brighten, ImageEnhance.Brightness),
        (colours.colour, ImageEnhance.Color),
        (colours.contrast, ImageEnhance.Contrast),
        (colours.sharpen, ImageEnhance.Sharpness),
    ],
)
def test_factors_are_those_of_pillow(change, enhance, factor):
    changed = change(PICTURE, tf.constant(factor))
    assert_as_pillow(changed, enhance(PILLOW).enhance(factor), atol=2 * ROUNDING)


def test_smoothing_leaves_the_edges():
    smooth = colours.sharpen(PICTURE, tf.constant(0.0))
    assert_as_pillow(smooth, PILLOW.filter(ImageFilter.SMOOTH))
    np.testing.assert_array_equal(smooth[0], PICTURE[0])


@pytest.mark.parametrize("bits", [1, 4, 7, 8])
def test_posterizing_keeps_the_first_bits(bits):
    expected = ImageOps.posterize(PILLOW, bits)
    assert_as_pillow(colours.posterize(PICTURE, bits), expected, atol=1e-6)


def test_solarizing_inverts_what_is_bright():
    expected = ImageOps.solarize(PILLOW, 128)
    assert_as_pillow(colours.solarize(PICTURE, tf.constant(127.5 / 255)), expected, atol=1e-6)


def test_autocontrast_stretches_each_channel():
    assert_as_pillow(colours.autocontrast(PICTURE), ImageOps.autocontrast(PILLOW))


@pytest.mark.parametrize("step", [1, 8, 64])
def test_an_equalized_histogram_is_that_of_pillow_to_the_bit(step):
    pixels = PIXELS // step * step
    equalized = colours.equalize(tf.constant(pixels / 255, tf.float32))
    expected = np.asarray(ImageOps.equalize(Image.fromarray(pixels)))
    np.testing.assert_array_equal(np.round(equalized * 255), expected)


@pytest.mark.parametrize("change", [colours.autocontrast, colours.equalize])
def test_an_image_of_one_colour_stays(change):
    flat = tf.fill([4, 4, 3], 51 / 255)
    np.testing.assert_allclose(change(flat), flat, atol=1e-6)
