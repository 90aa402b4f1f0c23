"""RandAugment: which operations an image gets, how strong, and what moves pixels as one matrix."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.pipeline import colours
from trainer.data.pipeline.projection import rotation, skew, translation
from trainer.data.pipeline.rand_augment import GEOMETRIC, OPERATIONS, PHOTOMETRIC, RandAugment

PICTURE = tf.random.stateless_uniform([10, 10, 3], [4, 2])


def of(*names: str, sign=1.0, magnitude=15.0) -> RandAugment:
    """The operations of parameters that choose those of these names."""
    places = [(OPERATIONS.index(name) + 0.5) / len(OPERATIONS) * 2 - 1 for name in names]
    return RandAugment.from_params(tf.constant([[place, sign] for place in places]), magnitude)


def test_there_are_the_fourteen_operations_of_the_paper():
    assert len(OPERATIONS) == 14


def test_every_operation_is_as_likely_as_any_other():
    places = np.linspace(-1, 1, 1400, endpoint=False, dtype=np.float32)
    found = RandAugment.from_params(tf.stack([places, places], axis=1), 9.0)
    np.testing.assert_allclose(np.bincount(found.operations), 100, atol=1)


@pytest.mark.parametrize("last", [np.float32(1), np.nextafter(np.float32(1), np.float32(0))])
def test_the_largest_parameter_chooses_the_last_operation(last):
    found = RandAugment.from_params(tf.constant([[last, 0.0]]), 9.0)
    assert found.operations.numpy() == [len(OPERATIONS) - 1]


@pytest.mark.parametrize(("sign", "expected"), [(1.0, 0.5), (-0.1, -0.5)])
def test_the_strength_is_the_magnitude_with_a_random_direction(sign, expected):
    assert of("rotate", sign=sign).changes.numpy() == [expected]


@pytest.mark.parametrize("name", ["brightness", "colour", "contrast", "sharpness"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_factor_is_up_to_nine_tenths_from_one(name, sign):
    change = {"brightness": "brighten", "sharpness": "sharpen"}.get(name, name)
    expected = getattr(colours, change)(PICTURE, tf.constant(1 + 0.45 * sign))
    changed = of(name, sign=sign).recolour(PICTURE)
    np.testing.assert_allclose(changed, np.clip(expected, 0, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("posterize", colours.posterize(PICTURE, 6)),
        ("solarize", colours.solarize(PICTURE, tf.constant(0.5))),
        ("autocontrast", colours.autocontrast(PICTURE)),
        ("equalize", colours.equalize(PICTURE)),
    ],
)
def test_other_operations_have_no_direction(name, expected):
    for sign in (1.0, -1.0):
        np.testing.assert_allclose(of(name, sign=sign).recolour(PICTURE), expected, atol=1e-6)


def test_operations_follow_each_other():
    expected = colours.posterize(colours.solarize(PICTURE, tf.constant(0.5)), 6)
    np.testing.assert_allclose(of("solarize", "posterize").recolour(PICTURE), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["identity", *GEOMETRIC])
def test_what_moves_pixels_changes_no_colour(name):
    np.testing.assert_array_equal(of(name).recolour(PICTURE), PICTURE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shear_x", skew(0.15, 0.0)),
        ("shear_y", skew(0.0, 0.15)),
        ("translate_x", translation(tf.constant(75 / 331 * 10), 0.0)),
        ("translate_y", translation(0.0, tf.constant(75 / 331 * 20))),
        ("rotate", rotation(tf.constant(15.0))),
    ],
)
def test_the_largest_movements_are_those_of_torchvision(name, expected):
    np.testing.assert_allclose(of(name).matrix(height=20, width=10), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["identity", *PHOTOMETRIC])
def test_what_changes_colours_moves_no_pixel(name):
    np.testing.assert_array_equal(of(name).matrix(10, 10), tf.eye(3))


def test_movements_follow_each_other_in_one_matrix():
    expected = rotation(tf.constant(15.0)) @ skew(0.15, 0.0)
    np.testing.assert_allclose(of("rotate", "shear_x").matrix(10, 10), expected, atol=1e-6)


def test_a_magnitude_of_zero_changes_no_pixel_but_by_what_has_none():
    always = ("autocontrast", "equalize", "solarize")  # the last inverts what is wholly bright
    names = [name for name in OPERATIONS if name not in always]
    still = of(*names, magnitude=0.0)
    np.testing.assert_allclose(still.recolour(PICTURE), PICTURE, atol=1.01 / 510)
    np.testing.assert_array_equal(still.matrix(10, 10), tf.eye(3))
