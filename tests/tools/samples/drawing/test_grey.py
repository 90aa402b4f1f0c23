"""Small grey pictures, light on black."""

import numpy as np
import pytest

from tools.samples import digits
from tools.samples.drawing.grey import grey, grey_picture
from tools.samples.fashion import pictures as fashion

EVERY_PICTURE = pytest.mark.parametrize(
    ("drawing", "label"),
    [(digits, label) for label in digits.CLASSES] + [(fashion, label) for label in fashion.CLASSES],
)


def drawn(drawing, label, seed=0):
    return drawing.draw(label, np.random.default_rng(seed))


def a_dot(brush, random):
    brush.dot(0, 0, 0.5, grey(1))


@EVERY_PICTURE
def test_pictures_are_grey_and_as_large_as_those_of_mnist(drawing, label):
    picture = drawn(drawing, label)
    assert (picture.mode, picture.size) == ("L", (28, 28))


@EVERY_PICTURE
def test_the_ground_is_black(drawing, label):
    pictures = np.stack([drawn(drawing, label, seed) for seed in range(20)])
    assert np.median(pictures[:, 0, 0]) == 0


@EVERY_PICTURE
def test_no_two_pictures_of_a_class_are_alike(drawing, label):
    assert len({drawn(drawing, label, seed).tobytes() for seed in range(10)}) == 10


def test_what_is_drawn_about_the_origin_is_in_the_middle():
    pixels = np.asarray(grey_picture(np.random.default_rng(0), a_dot, softness=0.3))
    lit = np.argwhere(pixels > 128)
    np.testing.assert_allclose(lit.mean(axis=0), [13.5, 13.5], atol=0.5)


@pytest.mark.parametrize(("level", "shade"), [(-1, 0), (0, 0), (0.5, 128), (1, 255), (2, 255)])
def test_a_grey_is_as_light_as_its_level(level, shade):
    assert grey(level) == (shade, shade, shade)
