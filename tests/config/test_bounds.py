"""What values options may have, by way of the config that asks."""

import math

import pytest

from trainer import Config, UserError


def refusal(**options: object) -> str:
    with pytest.raises(UserError) as error:
        Config(**options)
    return str(error.value)


@pytest.mark.parametrize("option", ["learning_rate", "finetune_learning_rate", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_a_rate_is_a_finite_number_from_zero(option, value):
    assert refusal(**{option: value}).startswith(f"--{option.replace('_', '-')} must be at ")


@pytest.mark.parametrize("option", ["momentum", "ema", "label_smoothing"])
@pytest.mark.parametrize("value", [-0.1, 1.0, math.nan])
def test_a_share_leaves_some(option, value):
    flag = f"--{option.replace('_', '-')}"
    assert refusal(**{option: value}) == f"{flag} must be at least 0 and less than 1, not {value}"


@pytest.mark.parametrize("option", ["momentum", "ema", "label_smoothing", "weight_decay"])
def test_nothing_is_a_share_and_a_rate(option):
    assert getattr(Config(**{option: 0.0}), option) == 0.0


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_gradients_are_clipped_to_a_number_above_zero(value):
    assert refusal(clip_norm=value) == f"--clip-norm must be a number above 0, not {value}"


def test_a_head_is_warmed_up_for_no_epoch_or_some():
    assert refusal(warmup_epochs=-1) == "--warmup-epochs must be at least 0, not -1"


def test_at_least_one_step_is_accumulated():
    assert refusal(accumulate=0) == "--accumulate must be at least 1, not 0"


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("schedule", "constant, cosine, exponential or piecewise"),
        ("class_weights", "none or balanced"),
        ("precision", "float32, mixed_bfloat16 or mixed_float16"),
        ("jit", "auto, on or off"),
        ("transfer", "frozen, early, finetune or scratch"),
        ("pool", "avg, max or flatten"),
        ("head", "flatten or avg"),
    ],
)
def test_what_is_none_of_the_choices_is_told_them(option, choices):
    flag = f"--{option.replace('_', '-')}"
    assert refusal(**{option: "sine"}) == f"{flag} must be {choices}, not sine"


@pytest.mark.parametrize("option", ["warmup", "checkpoint_every"])
def test_a_duration_has_a_unit(option):
    assert refusal(**{option: "5"}).startswith(f"--{option.replace('_', '-')} must be a duration")


def test_checkpoints_are_some_steps_apart():
    assert refusal(checkpoint_every="0steps").startswith("--checkpoint-every must be more than 0")
