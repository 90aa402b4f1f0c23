"""What is loaded on the way from a source to batches, and when."""

import pytest
import tensorflow_hub as hub


@pytest.fixture
def loads(monkeypatch):
    """The handles of the modules that are loaded, in turn."""
    handles = []

    class Noted(hub.KerasLayer):
        def __init__(self, handle, **options):
            handles.append(handle)
            super().__init__(handle, **options)

    monkeypatch.setattr(hub, "KerasLayer", Noted)
    return handles


@pytest.fixture
def train(run_command, cats_and_dogs, vector_module):
    """One epoch on features of a tiny module."""

    def command(*options):
        data = ("--data", cats_and_dogs, "--extractor", vector_module)
        assert run_command(*data, "--epochs", 1, "--jit", "off", *options).code == 0

    return command


def test_an_extractor_is_loaded_once_for_features_and_summary_together(train, loads, vector_module):
    train("--summary")
    assert loads == [str(vector_module)]


def test_nothing_is_loaded_where_all_features_are_kept(train, loads):
    train()
    del loads[:]
    train()
    assert loads == []


def test_features_of_other_squares_are_not_those_that_are_kept(train, tmp_path):
    def kept():
        return len(list(tmp_path.glob("cache/**/manifest.json")))

    train()
    of_three_splits = kept()
    train("--resize", "squash")
    assert kept() == of_three_splits > 0
    train("--resize", "crop")
    assert kept() == 2 * of_three_splits
    train("--resize", "pad")
    assert kept() == 3 * of_three_splits
