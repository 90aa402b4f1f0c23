"""Durations: their syntax, and their length in steps."""

import pytest

from trainer import UserError
from trainer.config import durations

TRAINING = {"steps_per_epoch": 70, "total_steps": 700, "batch_size": 32}


def steps(duration: str) -> int:
    return durations.steps("--warmup", duration, **TRAINING)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("200steps", 200),
        ("1step", 1),
        ("200 steps", 200),
        ("2epochs", 140),
        ("1 epoch", 70),
        ("0.5epochs", 35),
        (".5epoch", 35),
        ("5%", 35),
        ("0.5%", 4),
        ("100%", 700),
        ("1000examples", 31),
        ("1 example", 1),
        ("0", 0),
        ("0%", 0),
        ("0epochs", 0),
    ],
)
def test_a_duration_in_any_unit_is_converted_to_steps(duration, expected):
    assert steps(duration) == expected


def test_a_duration_above_zero_is_at_least_one_step():
    assert steps("0.01%") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "200",
        "steps",
        "-1steps",
        "1.5steps",
        "2.5examples",
        "1e3steps",
        "5 %%",
        "nan%",
        "2weeks",
        "9" * 400 + "steps",
        "1  epoch",
        "\u0663steps",
        "5%\n",
    ],
)
def test_other_text_is_refused_naming_the_option(text):
    with pytest.raises(UserError) as error:
        durations.parse("--checkpoint-every", text)
    assert str(error.value) == (
        "--checkpoint-every must be a duration like 200steps, 2epochs, 1000examples or 5%,"
        f" not {text}"
    )


def test_more_than_100_percent_is_refused():
    with pytest.raises(UserError, match=r"^--warmup must be at most 100%, the whole training, "):
        durations.parse("--warmup", "101%")
