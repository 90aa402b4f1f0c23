"""Outlines that the drawings are made of."""

import numpy as np
import pytest

from tools.samples.drawing.shapes import curve, oval, petal, rounded, toothed, tube

CORNERS = [(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)]


def test_an_oval_is_as_wide_and_as_high_as_asked() -> None:
    reach = np.abs(oval(0, 0, 3, 2)).max(axis=0)
    assert reach == pytest.approx([3, 2])


def test_a_turned_oval_is_wide_where_it_was_high() -> None:
    reach = np.abs(oval(0, 0, 3, 2, turn=np.pi / 2)).max(axis=0)
    assert reach == pytest.approx([2, 3])


def test_a_petal_reaches_from_its_start_to_its_end() -> None:
    along = petal(0.2, 1.5, 0.3)[:, 0]
    assert (along.min(), along.max()) == pytest.approx((0.2, 1.5))


def test_teeth_never_widen_a_leaf() -> None:
    leaf = petal(0, 1, 0.3)
    assert np.all(np.abs(toothed(leaf, 0.5)) <= np.abs(leaf))


@pytest.mark.parametrize("smooth", [curve, rounded])
def test_smooth_lines_go_through_their_corners(smooth) -> None:
    path = smooth(CORNERS)
    assert all(np.isclose(path, corner).all(axis=1).any() for corner in CORNERS)


def test_a_curve_ends_at_its_last_corner() -> None:
    assert curve(CORNERS)[-1] == pytest.approx(CORNERS[-1])


def test_a_straight_tube_is_twice_its_half_width_across() -> None:
    outline = tube([(0, 0, 0.5), (1, 0, 0.5), (2, 0, 0.5)])
    assert np.ptp(outline[:, 1]) == pytest.approx(1.0)


def test_a_tube_has_round_ends() -> None:
    outline = tube([(0, 0, 0.5), (2, 0, 0.5)])
    assert (outline[:, 0].min(), outline[:, 0].max()) == pytest.approx((-0.5, 2.5))
