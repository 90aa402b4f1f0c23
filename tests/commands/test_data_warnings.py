"""A run reports problems of its data, on the terminal and in its result."""

import json
import shutil

import pytest


@pytest.fixture
def warned(class_folders, run_command, vector_module, tmp_path):
    """A run on a folder with a leaked image and imbalanced classes."""
    folder = class_folders(
        {
            **{"train/cat": 20, "train/dog": 2, "valid/cat": 2, "valid/dog": 2},
            **{"test/cat": 2, "test/dog": 2},
        }
    )
    shutil.copy(min((folder / "train/cat").iterdir()), folder / "test/cat/leaked.png")
    outcome = run_command(
        *("--task", "folder", "--data", folder, "--extractor", vector_module, "--epochs", 1)
    )
    assert outcome.code == 0, outcome.err
    [result] = tmp_path.glob("logs/folder/*/result.json")
    return outcome.out, json.loads(result.read_text())


def test_a_run_warns_of_leakage_and_imbalance(warned):
    printed, result = warned
    lines = [line for line in printed.splitlines() if line.startswith("warning: ")]
    assert ["more than one split" in line for line in lines] == [True, False]
    assert result["data_warnings"]["identical_across_splits"]["images"] == 1
    assert result["data_warnings"]["imbalance"] == 10.0


def test_a_file_that_vanishes_before_it_is_read_is_named(
    cats_and_dogs, vector_module, run_command, monkeypatch
):
    from trainer.setup import data as opening

    def opened(*arguments):
        source = open_source(*arguments)
        min(cats_and_dogs.glob("cat/*")).unlink()
        return source

    open_source = opening.open_source
    monkeypatch.setattr(opening, "open_source", opened)
    outcome = run_command(
        *("--task", "folder", "--data", cats_and_dogs, "--extractor", vector_module)
    )
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert str(min(cats_and_dogs.glob("cat/*")).parent) in outcome.err
