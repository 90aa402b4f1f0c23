"""Every knob of a run: what it may be and how it is written down."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from trainer import Config, UserError


@pytest.mark.parametrize(
    "option",
    [
        "epochs",
        "steps_per_epoch",
        "validation_steps",
        "batch_size",
        "patience",
        "log_every",
        "image_size",
        "sample_examples",
    ],
)
def test_a_count_is_at_least_one(option):
    with pytest.raises(UserError) as error:
        Config(**{option: 0})
    assert str(error.value) == f"--{option.replace('_', '-')} must be at least 1, not 0"


@pytest.mark.parametrize("option", ["epochs", "batch_size", "image_size"])
def test_one_is_a_count(option):
    assert getattr(Config(**{option: 1}), option) == 1


@pytest.mark.parametrize("learning_rate", [-0.1, math.nan, math.inf, -math.inf])
def test_a_learning_rate_is_a_finite_number_from_zero(learning_rate):
    with pytest.raises(UserError, match=r"^--learning-rate must be at "):
        Config(learning_rate=learning_rate)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_is_a_positive_32_bit_integer(seed):
    with pytest.raises(UserError, match=r"^--seed must be at "):
        Config(seed=seed)


def test_jit_is_a_rule_and_no_truth_value():
    with pytest.raises(UserError, match=r"^--jit must be auto, on or off, not True$"):
        Config(jit=True)


@pytest.mark.parametrize("option", ["image_size", "sample_examples", "data_dir", "cache_dir"])
def test_what_has_no_value_of_its_own_is_left_to_the_program(option):
    assert getattr(Config(), option) is None


@pytest.mark.parametrize(("extractor", "there_is_one"), [("none", False), ("keras:VGG16", True)])
def test_none_is_no_extractor(extractor, there_is_one):
    assert Config(extractor=extractor).uses_extractor is there_is_one


def test_a_config_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().epochs = 3


def test_a_changed_copy_is_looked_at_too():
    with pytest.raises(UserError, match="--epochs"):
        dataclasses.replace(Config(), epochs=0)


def test_every_knob_is_in_its_json_but_that_a_run_is_resumed():
    chosen = {"epochs": 3, "log_dir": Path("a/b"), "stop_at": ("loss<1",), "resume": Path("c")}
    written = json.loads(json.dumps(Config(**chosen).as_json()))
    as_json = {"epochs": 3, "log_dir": "a/b", "stop_at": ["loss<1"]}
    assert {**written, "resume": None} == {**dataclasses.asdict(Config()), **as_json}
    assert "resume" not in written


def test_what_says_how_long_training_lasts_is_as_json_takes_it():
    stopping = Config(epochs=3, stop_at=("loss<1",), patience=2).stopping
    assert json.loads(json.dumps(stopping)) == stopping
    assert stopping == {"epochs": 3, "stop_at": ["loss<1"], "patience": 2, "max_minutes": None}
