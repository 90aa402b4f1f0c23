"""The bounds and choices that options declare, and the one check that reads them."""

import dataclasses
import math
from typing import Annotated, Literal

import pytest

from trainer import Config, UserError
from trainer.config.bounds import AtLeast, Between, Options, below_one, positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example(Options):
    """A group with an option of every kind of bound."""

    count: Annotated[int, AtLeast(1)] = 1
    angle: Annotated[float | None, Between(0, 180)] = None
    norm: Annotated[float | None, positive] = None
    momentum: Annotated[float | None, below_one] = None
    jit_mode: Literal["auto", "on", "off"] = "auto"
    fill: Literal["nearest", "black"] | None = None
    anything: str = ""


def error_of(make: type[Options], **options: object) -> str:
    with pytest.raises(UserError) as error:
        make(**options)
    return str(error.value)


@pytest.mark.parametrize(
    "options",
    [
        {"count": 1},
        {"count": 2**31 - 1},
        {"angle": 0},
        {"angle": 180},
        {"norm": 1e-9},
        {"momentum": 0.0},
        {"momentum": 0.999},
        {"jit_mode": "off"},
        {"fill": "black"},
        {"anything": "at all"},
    ],
    ids=str,
)
def test_values_within_their_bounds_are_accepted(options):
    assert dataclasses.asdict(Example(**options)).items() >= options.items()


@pytest.mark.parametrize("option", ["angle", "norm", "momentum", "fill"])
def test_none_passes_every_check(option):
    assert getattr(Example(**{option: None}), option) is None


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("count", 0, "--count must be at least 1, not 0"),
        ("count", 2**31, "--count must be at most 2147483647, not 2147483648"),
        ("angle", -1, "--angle must be at least 0, not -1"),
        ("angle", 200, "--angle must be at most 180, not 200"),
        ("angle", math.nan, "--angle must be at least 0, not nan"),
        ("norm", 0.0, "--norm must be a number above 0, not 0.0"),
        ("norm", math.inf, "--norm must be a number above 0, not inf"),
        ("norm", math.nan, "--norm must be a number above 0, not nan"),
        ("momentum", -0.1, "--momentum must be at least 0 and less than 1, not -0.1"),
        ("momentum", 1.0, "--momentum must be at least 0 and less than 1, not 1.0"),
        ("momentum", math.nan, "--momentum must be at least 0 and less than 1, not nan"),
        ("jit_mode", "maybe", "--jit-mode must be auto, on or off, not maybe"),
        ("jit_mode", True, "--jit-mode must be auto, on or off, not True"),
        ("fill", "white", "--fill must be nearest or black, not white"),
    ],
)
def test_values_outside_their_bounds_are_refused_naming_option_bound_and_value(
    option, value, message
):
    assert error_of(Example, **{option: value}) == message


def test_a_group_checks_the_options_that_it_inherits():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Larger(Example):
        more: Annotated[int, AtLeast(2)] = 2

    assert error_of(Larger, count=0) == "--count must be at least 1, not 0"
    assert error_of(Larger, more=1) == "--more must be at least 2, not 1"


# The options of a run.


@pytest.mark.parametrize(
    "option",
    [
        "accumulate",
        "batch_size",
        "epochs",
        "image_size",
        "log_every",
        "patience",
        "sample_examples",
        "steps_per_epoch",
        "validation_steps",
    ],
)
def test_a_count_is_at_least_one(option):
    flag = f"--{option.replace('_', '-')}"
    assert error_of(Config, **{option: 0}) == f"{flag} must be at least 1, not 0"


@pytest.mark.parametrize("option", ["warmup_epochs", "augment_copies", "seed"])
def test_what_may_be_absent_is_at_least_zero(option):
    flag = f"--{option.replace('_', '-')}"
    assert error_of(Config, **{option: -1}) == f"{flag} must be at least 0, not -1"


@pytest.mark.parametrize(
    "option", ["learning_rate", "finetune_learning_rate", "weight_decay", "feature_memory"]
)
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf])
def test_a_rate_is_a_finite_number_from_zero(option, value):
    flag = f"--{option.replace('_', '-')}"
    assert error_of(Config, **{option: value}).startswith(f"{flag} must be at ")


@pytest.mark.parametrize("option", ["momentum", "ema", "label_smoothing", "zoom"])
def test_a_fraction_is_less_than_one(option):
    flag = f"--{option.replace('_', '-')}"
    message = f"{flag} must be at least 0 and less than 1, not 1.0"
    assert error_of(Config, **{option: 1.0}) == message


@pytest.mark.parametrize("option", ["clip_norm", "max_minutes"])
def test_a_limit_is_above_zero(option):
    flag = f"--{option.replace('_', '-')}"
    assert error_of(Config, **{option: 0.0}) == f"{flag} must be a number above 0, not 0.0"


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("transfer", "frozen, early, finetune or scratch"),
        ("pool", "avg, max or flatten"),
        ("head", "flatten or avg"),
        ("augment", "none, light, standard or strong"),
        ("flip", "none, horizontal, vertical or both"),
        ("fill", "nearest, reflect or constant"),
        ("schedule", "constant, cosine, exponential, piecewise, one-cycle or plateau"),
        ("class_weights", "none or balanced"),
        ("precision", "float32, mixed_bfloat16 or mixed_float16"),
        ("jit", "auto, on or off"),
    ],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(option, choices):
    flag = f"--{option.replace('_', '-')}"
    assert error_of(Config, **{option: "sine"}) == f"{flag} must be {choices}, not sine"


@pytest.mark.parametrize("option", ["warmup", "checkpoint_every"])
def test_a_duration_needs_a_unit(option):
    flag = f"--{option.replace('_', '-')}"
    assert error_of(Config, **{option: "5"}).startswith(f"{flag} must be a duration")


def test_an_interval_of_checkpoints_is_above_zero():
    message = error_of(Config, checkpoint_every="0steps")
    assert message == "--checkpoint-every must be more than 0, 1epoch for example"


def test_every_stop_condition_is_checked():
    message = error_of(Config, stop_at=("loss<1", "accuracy"))
    assert message.startswith("--stop-at must be a metric and its bound")
