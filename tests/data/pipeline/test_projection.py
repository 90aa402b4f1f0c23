"""The projective transform of an image, compared with TensorFlow's and Keras' own."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.pipeline.projection import project, rotation, scale, shear, translation

SIDE = 9
PICTURE = tf.random.stateless_uniform([SIDE, SIDE, 3], [4, 2])
ROW = tf.reshape([0.1, 0.2, 0.3, 0.4], [1, 4, 1])


def line(matrix, fill):
    """The transformed ROW."""
    return project(ROW, matrix, fill).numpy().ravel().tolist()


@pytest.mark.parametrize("turns", [-1, 0, 1, 2])
def test_a_rotation_by_90_degrees_is_rot90(turns):
    turned = project(PICTURE, rotation(90.0 * turns), "nearest")
    np.testing.assert_allclose(turned, tf.image.rot90(PICTURE, turns), atol=1e-5)


@pytest.mark.parametrize("shape", [[6, 9, 3], [6, 6, 3], [5, 4, 1]])
@pytest.mark.parametrize(
    ("x", "y", "mirrored"),
    [
        (-1.0, 1.0, tf.image.flip_left_right),
        (1.0, -1.0, tf.image.flip_up_down),
        (1.0, 1.0, tf.identity),
    ],
)
@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_a_flip_keeps_pixels_equal_to_the_bit(shape, x, y, mirrored, fill):
    picture = tf.random.stateless_uniform(shape, [1, 2])
    np.testing.assert_array_equal(project(picture, scale(x, y), fill), mirrored(picture))


def test_a_translation_is_to_the_right_and_down():
    moved = project(PICTURE, translation(2.0, 3.0), "constant").numpy()
    np.testing.assert_array_equal(moved[3:, 2:], PICTURE[:-3, :-2])
    assert not moved[:3].any()
    assert not moved[:, :2].any()


@pytest.mark.parametrize(
    ("fill", "right", "expected"),
    [
        ("nearest", 2.0, [0.1, 0.1, 0.1, 0.2]),
        ("nearest", -9.0, [0.4, 0.4, 0.4, 0.4]),
        ("reflect", 2.0, [0.2, 0.1, 0.1, 0.2]),
        ("reflect", -3.0, [0.4, 0.4, 0.3, 0.2]),
        ("reflect", 9.0, [0.1, 0.1, 0.2, 0.3]),
        ("constant", 2.0, [0.0, 0.0, 0.1, 0.2]),
        ("constant", 0.5, [0.05, 0.15, 0.25, 0.35]),
        ("constant", -9.0, [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_fill_determines_the_pixels_beyond_the_edges(fill, right, expected):
    assert line(translation(right, 0.0), fill) == pytest.approx(expected)


def test_between_pixels_colours_are_interpolated():
    assert line(translation(0.5, 0.0), "nearest") == pytest.approx([0.1, 0.15, 0.25, 0.35])


def test_a_scale_of_two_makes_an_image_half_as_large_about_its_centre():
    smaller = project(PICTURE, scale(2.0, 2.0), "constant").numpy()
    np.testing.assert_allclose(smaller[2:7, 2:7], PICTURE[::2, ::2], atol=1e-6)
    assert not smaller[:2].any()


def test_a_shear_moves_a_row_by_its_height_and_spreads_the_rows():
    slanted = project(PICTURE, shear(60.0), "constant").numpy()
    centre = SIDE // 2
    np.testing.assert_allclose(slanted[centre], PICTURE[centre], atol=1e-6)
    # Two rows up (y is -2) comes from one row up and 2 sin 60 degrees to the right.
    expected = project(PICTURE, translation(-np.sqrt(3), 0.0), "constant")
    np.testing.assert_allclose(slanted[centre - 2], expected[centre - 1], atol=1e-5)


def test_the_leftmost_matrix_is_applied_first():
    turned = project(PICTURE, rotation(90.0), "constant")
    by_turns = project(turned, translation(1.0, 0.0), "constant")
    at_once = project(PICTURE, rotation(90.0) @ translation(1.0, 0.0), "constant")
    np.testing.assert_allclose(at_once, by_turns, atol=1e-5)


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_it_equals_the_projective_transform_of_tensorflow(fill):
    picture = tf.random.stateless_uniform([20, 30, 3], [1, 2])
    matrix = rotation(25.0) @ translation(7.0, -4.0) @ shear(15.0) @ scale(1.3, -0.8)
    corner = translation(14.5, 9.5)
    from_corner = tf.linalg.inv(corner) @ matrix @ corner
    expected = tf.raw_ops.ImageProjectiveTransformV3(
        images=picture[None],
        transforms=tf.reshape(from_corner, [1, 9])[:, :8],
        output_shape=[20, 30],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode=fill.upper(),
    )
    np.testing.assert_allclose(project(picture, matrix, fill), expected[0], atol=1e-4)


@pytest.mark.filterwarnings("ignore:Please import `affine_transform`")
def test_a_square_image_equals_that_of_keras():
    pytest.importorskip("scipy")
    by_keras = tf.keras.preprocessing.image.apply_affine_transform(
        PICTURE.numpy(),
        **{"theta": 25.0, "tx": 3.0, "ty": -2.0, "shear": 10.0, "zx": 1.2, "zy": 0.8},
        **{"row_axis": 0, "col_axis": 1, "channel_axis": 2},
    )
    matrix = rotation(25.0) @ translation(-3.0, 2.0) @ shear(10.0) @ scale(1.2, 0.8)
    np.testing.assert_allclose(project(PICTURE, matrix, "nearest"), by_keras, atol=1e-5)


def test_compiled_by_xla_it_is_the_same():
    matrix = rotation(25.0) @ scale(1.3, -0.8)
    compiled = tf.function(lambda image: project(image, matrix, "reflect"), jit_compile=True)
    np.testing.assert_allclose(compiled(PICTURE), project(PICTURE, matrix, "reflect"), atol=1e-5)
