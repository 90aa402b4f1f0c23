"""All options of a run together: what they are, and how they are written down."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import Config, UserError
from trainer.config.augmentation import AugmentationOptions
from trainer.config.data import DataOptions
from trainer.config.logging import LoggingOptions
from trainer.config.optimization import OptimizationOptions
from trainer.config.run import RunOptions
from trainer.config.stopping import StoppingOptions
from trainer.config.transfer import TransferOptions

GROUPS = [
    DataOptions,
    TransferOptions,
    AugmentationOptions,
    OptimizationOptions,
    StoppingOptions,
    RunOptions,
    LoggingOptions,
]


def names(group: type) -> list[str]:
    return [field.name for field in dataclasses.fields(group)]


def test_the_options_are_those_of_the_groups_in_the_order_of_help():
    assert names(Config) == [name for group in GROUPS for name in names(group)]


def test_a_config_is_each_of_its_groups():
    assert all(isinstance(Config(), group) for group in GROUPS)


@pytest.mark.parametrize("option", ["image_size", "sample_examples", "data_dir", "cache_dir"])
def test_an_option_without_a_default_value_is_none(option):
    assert getattr(Config(), option) is None


def test_a_config_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().epochs = 3


def test_a_changed_copy_is_checked_too():
    with pytest.raises(UserError, match="--epochs"):
        dataclasses.replace(Config(), epochs=0)


def test_json_has_every_option_except_resume():
    chosen = {"epochs": 3, "log_dir": Path("a/b"), "stop_at": ("loss<1",), "resume": Path("c")}
    written = json.loads(json.dumps(Config(**chosen).as_json()))
    defaults = {**dataclasses.asdict(Config()), "hook": []}
    assert {**written, "resume": None} == {
        **defaults,
        "epochs": 3,
        "log_dir": "a/b",
        "stop_at": ["loss<1"],
    }
    assert "resume" not in written


def test_the_length_of_training_is_what_json_gives_back():
    stopping = Config(epochs=3, stop_at=("loss<1",), patience=2).stopping
    assert json.loads(json.dumps(stopping)) == stopping
    assert stopping == {"epochs": 3, "stop_at": ["loss<1"], "patience": 2, "max_minutes": None}


def test_importing_the_options_does_not_import_tensorflow():
    code = "import sys, trainer; print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_path_may_be_given_as_text():
    config = Config(log_dir="runs", cache_dir="cache")
    assert (config.log_dir, config.cache_dir) == (Path("runs"), Path("cache"))
