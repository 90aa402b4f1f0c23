"""The grammar of what is swept, and the points that come of it."""

import random

import pytest

from trainer.core.errors import UserError
from trainer.sweeping.space import Range, grid_points, parse_space, random_points


def test_a_grid_is_every_combination_of_its_values():
    space = parse_space(["learning-rate=1e-2,1e-3", "optimizer=adam,sgd"], [])
    assert grid_points(space) == [
        {"learning_rate": 0.01, "optimizer": "adam"},
        {"learning_rate": 0.01, "optimizer": "sgd"},
        {"learning_rate": 0.001, "optimizer": "adam"},
        {"learning_rate": 0.001, "optimizer": "sgd"},
    ]


def test_none_is_the_value_of_an_option_that_is_not_given():
    assert grid_points(parse_space(["momentum=none,0.9"], [])) == [
        {"momentum": None},
        {"momentum": 0.9},
    ]


def test_none_stays_the_name_of_a_choice():
    assert grid_points(parse_space(["class_weights=none,balanced"], []))[0] == {
        "class_weights": "none"
    }


@pytest.mark.parametrize(
    ("grid", "ranges", "words"),
    [
        ("learning_rat=1", "", "did you mean learning_rate"),
        ("learning_rate", "", "write it as NAME=A,B,C"),
        ("learning_rate=-1", "", "--learning-rate must be at least 0"),
        ("batch_size=1.5", "", "'1.5' is not an integer"),
        ("schedule=sine", "", "--schedule must be"),
        ("seed=1,1", "", "1 is there twice"),
        ("log_dir=a,b", "", "a sweep has one log_dir"),
        ("", "learning_rate=1e-4", "NAME=LOW:HIGH"),
        ("", "learning_rate=1e-4:1e-1:linear", "NAME=LOW:HIGH"),
        ("", "learning_rate=1:0.1", "1 must be less than 0.1"),
        ("", "learning_rate=0:1:log", "begins above 0"),
        ("", "optimizer=adam:sgd", "no number"),
        ("", "label_smoothing=0:1", "--label-smoothing must be"),
        ("epochs=1,2", "epochs=1:5", "epochs is swept twice"),
    ],
)
def test_what_is_wrong_with_a_space_is_said_in_a_line(grid, ranges, words):
    with pytest.raises(UserError, match=words) as error:
        parse_space([grid] if grid else [], [ranges] if ranges else [])
    assert "\n" not in str(error.value)


def test_random_points_are_a_function_of_the_seed():
    space = parse_space(["optimizer=adam,sgd"], ["learning_rate=1e-4:1e-1:log"])
    assert random_points(space, 5, seed=3) == random_points(space, 5, seed=3)
    assert random_points(space, 5, seed=3) != random_points(space, 5, seed=4)


def test_random_points_of_a_grid_are_all_different():
    space = parse_space(["seed=1,2,3", "epochs=1,2"], [])
    drawn = random_points(space, 5, seed=0)
    assert len({tuple(point.items()) for point in drawn}) == 5


def test_a_log_range_is_as_dense_in_each_power_of_ten():
    drawn = [Range("x", 1e-4, 1.0, log=True).draw(random.Random(n)) for n in range(2000)]
    assert 0.45 < sum(x < 1e-2 for x in drawn) / 2000 < 0.55


def test_a_range_of_integers_has_both_ends_as_often_as_what_is_between():
    drawn = [Range("x", 1, 3, log=False).draw(random.Random(n)) for n in range(3000)]
    assert all(850 < drawn.count(number) < 1150 for number in (1, 2, 3))
