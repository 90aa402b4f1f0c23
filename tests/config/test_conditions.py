"""Conditions at which training stops: their syntax."""

import pytest

from trainer import UserError
from trainer.config.conditions import Condition, parse, parse_all


def test_a_condition_is_a_metric_a_comparison_and_a_bound():
    assert parse("--stop-at", "accuracy>=0.9") == Condition(
        "accuracy>=0.9", "train", "accuracy", ">=", 0.9
    )


@pytest.mark.parametrize("comparison", [">=", ">", "<=", "<"])
def test_there_are_four_comparisons(comparison):
    assert parse("--stop-at", f"loss{comparison}2").comparison == comparison


@pytest.mark.parametrize(
    ("text", "split", "metric"),
    [
        ("loss<1", "train", "loss"),
        ("train/loss<1", "train", "loss"),
        ("validation/loss<1", "validation", "loss"),
        ("validation/top_5_accuracy>0.5", "validation", "top_5_accuracy"),
    ],
)
def test_a_metric_without_a_split_is_that_of_training(text, split, metric):
    condition = parse("--stop-at", text)
    assert (condition.split, condition.metric) == (split, metric)


@pytest.mark.parametrize(
    ("bound", "number"),
    [("1", 1.0), (".5", 0.5), ("0.25", 0.25), ("-2", -2.0), ("1e-3", 0.001), ("2.5e-2", 0.025)],
)
def test_a_bound_is_any_number(bound, number):
    assert parse("--stop-at", f"loss<{bound}").bound == number


def test_spaces_around_the_comparison_are_ignored():
    assert parse("--stop-at", " loss < 0.4 ")[1:] == parse("--stop-at", "loss<0.4")[1:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accuracy",
        "accuracy=0.9",
        "accuracy==0.9",
        "accuracy=>0.9",
        "0.9<=accuracy",
        "accuracy>=",
        "accuracy>=high",
        "accuracy>=nan",
        "accuracy>=90%",
        ">=0.9",
        "test/accuracy>=0.9",
        "accuracy>=0.9,loss<0.4",
    ],
)
def test_other_text_is_refused_with_examples(text):
    with pytest.raises(UserError) as error:
        parse("--stop-at", text)
    assert str(error.value) == (
        "--stop-at must be a metric and its bound, like accuracy>=0.9, loss<0.4 or"
        f" validation/accuracy>=0.9, not {text}"
    )


def test_several_conditions_keep_their_order():
    conditions = parse_all("--stop-at", ["loss<1", "accuracy>=0.9"])
    assert [condition.metric for condition in conditions] == ["loss", "accuracy"]


@pytest.mark.parametrize(
    ("text", "split", "metric"),
    [
        ("f1/roses>=0.9", "train", "f1/roses"),
        ("validation/f1/roses >= 0.9", "validation", "f1/roses"),
        ("train/recall/lens cap>=0.9", "train", "recall/lens cap"),
    ],
)
def test_a_metric_of_one_class_is_a_metric_too(text, split, metric):
    condition = parse("--stop-at", text)
    assert (condition.split, condition.metric, condition.bound) == (split, metric, 0.9)
