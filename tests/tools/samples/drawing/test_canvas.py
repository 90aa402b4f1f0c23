"""Colours, and brushes in their own frames."""

import numpy as np
import pytest
from PIL import Image

from tools.samples.drawing.canvas import brush_on, mixed, shaded, varied

RED = (200, 0, 0)


@pytest.fixture
def image() -> Image.Image:
    return Image.new("RGB", (80, 80))


def test_mixing_no_share_leaves_the_colour() -> None:
    assert mixed(RED, (0, 100, 0), 0) == RED


def test_mixing_half_is_half_way() -> None:
    assert mixed(RED, (0, 100, 0), 0.5) == (100, 50, 0)


def test_more_light_is_lighter() -> None:
    assert sum(shaded(RED, 1.2)) > sum(RED)


def test_less_light_is_darker() -> None:
    assert sum(shaded(RED, 0.8)) < sum(RED)


def test_a_varied_colour_stays_a_colour() -> None:
    colours = [varied((250, 5, 128), np.random.default_rng(seed), 60) for seed in range(50)]
    assert all(0 <= part <= 255 for colour in colours for part in colour)


def test_a_brush_draws_at_twice_the_final_size(image: Image.Image) -> None:
    brush_on(image).dot(10, 20, 2, RED)
    assert image.getpixel((20, 40)) == RED


def test_a_moved_brush_draws_about_its_own_origin(image: Image.Image) -> None:
    brush_on(image).at(30, 10).dot(0, 0, 2, RED)
    assert image.getpixel((60, 20)) == RED


def test_a_mirrored_brush_draws_to_the_other_side(image: Image.Image) -> None:
    brush_on(image).at(20, 20, mirrored=True).dot(10, 0, 2, RED)
    assert image.getpixel((20, 40)) == RED


def test_a_turned_brush_turns_clockwise(image: Image.Image) -> None:
    brush_on(image).at(20, 20, turn=np.pi / 2).dot(10, 0, 2, RED)
    assert image.getpixel((40, 60)) == RED


def test_a_brush_within_a_brush_is_sized_by_both(image: Image.Image) -> None:
    assert brush_on(image).at(0, 0, 3).at(0, 0, 4).scale == pytest.approx(24)
