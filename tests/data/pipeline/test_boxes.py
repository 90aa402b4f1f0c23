"""Boxes within an image: their area, their shape, their place."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.pipeline.boxes import Box
from trainer.data.pipeline.projection import project

HEIGHT, WIDTH = 12, 8
PICTURE = tf.random.stateless_uniform([HEIGHT, WIDTH, 3], [1, 2])


def box(area=0.25, ratio=0.0, x=0.0, y=0.0, most=2.0) -> Box:
    return Box.from_params(*map(tf.constant, (area, ratio, x, y)), most)


@pytest.mark.parametrize("area", [0.02, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("ratio", [-1.0, 0.0, 0.7])
def test_a_box_has_its_area_and_fits_into_the_image(area, ratio):
    found = box(area, ratio, x=0.9, y=-1.0)
    assert float(found.height * found.width) == pytest.approx(area)
    assert 0 <= found.left <= found.left + found.width <= 1 + 1e-6
    assert 0 <= found.top <= found.top + found.height <= 1 + 1e-6


@pytest.mark.parametrize(
    ("ratio", "expected"), [(-1.0, 0.5), (0.0, 1.0), (0.5, 2**0.5), (1.0, 2.0)]
)
def test_the_ratio_of_width_to_height_goes_from_the_highest_to_the_widest(ratio, expected):
    found = box(0.25, ratio)
    assert float(found.width / found.height) == pytest.approx(expected)


def test_a_large_box_is_as_long_as_the_image_at_most():
    assert float(box(0.81, 1.0).width) == pytest.approx(1)


def test_the_place_goes_from_one_edge_to_the_other():
    assert float(box(x=-1.0).left) == 0
    assert float(box(x=1.0).left) == pytest.approx(0.5)
    assert float(box(y=1.0).top) == pytest.approx(0.5)


def test_the_mask_covers_the_pixels_of_the_box():
    mask = box(0.25, x=-1.0, y=1.0).mask(HEIGHT, WIDTH).numpy()
    assert mask[HEIGHT // 2 :, : WIDTH // 2].all()
    assert mask.sum() == HEIGHT * WIDTH / 4


def test_what_is_enlarged_is_the_box():
    matrix = box(0.25, x=1.0, y=-1.0).enlarging_matrix(HEIGHT, WIDTH)
    enlarged = project(PICTURE, matrix, "nearest")
    expected = tf.image.resize(PICTURE[: HEIGHT // 2, WIDTH // 2 :], [HEIGHT, WIDTH])
    # At the edges of the box there are pixels behind it here, and none there.
    np.testing.assert_allclose(enlarged[:-1, 1:], expected[:-1, 1:], atol=1e-5)


def test_a_box_of_the_whole_image_changes_nothing():
    enlarged = project(PICTURE, box(1.0, 0.5).enlarging_matrix(HEIGHT, WIDTH), "nearest")
    np.testing.assert_allclose(enlarged, PICTURE, atol=1e-5)
