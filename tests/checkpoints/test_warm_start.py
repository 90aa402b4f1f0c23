"""Layers start from the weights of an earlier run, by name and shapes."""

import keras
import numpy as np
import pytest

from trainer import UserError
from trainer.checkpoints.warm_start import CheckpointReader, warm_start
from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Trainer

WIDTH = 6
layers = keras.layers


def network(last=3, hidden=16):
    model = keras.Sequential(
        [
            layers.Dense(hidden, "relu", name="hidden_1"),
            layers.Dropout(0.25),
            layers.Dense(hidden, "relu", name="hidden_2"),
            layers.Dense(last, name="logits"),
        ]
    )
    model(np.zeros([1, WIDTH], np.float32))
    return model


def trainer_with(model, make_trainer):
    class Ours(Trainer):
        def build_model(self):
            return model

    return make_trainer(Ours)


def after_an_epoch(trainer, state):
    """Its weights are the best from now on."""
    validation = {"loss": 1.0, "accuracy": 0.5}
    trainer.history.append(EpochRecord(1, 7, 0.1, {"train": {}, "validation": validation}))
    state.best.copy()


@pytest.fixture
def earlier(make_trainer, state_of):
    """A trainer with a network of its own, and its state: nothing is saved yet."""
    trainer = trainer_with(network(), make_trainer)
    return trainer, state_of(trainer)


@pytest.fixture
def run(earlier, tmp_path):
    """The folder of a run that has saved its best weights."""
    after_an_epoch(*earlier)
    earlier[1].save()
    return tmp_path


@pytest.fixture
def start(caplog):
    """`warm_start` from a run's folder; returns the line that it logs."""
    caplog.set_level("INFO", "trainer")

    def start(model, run, freeze=()):
        warm_start(model, CheckpointReader(run), freeze)
        [line] = caplog.messages
        return line

    return start


def fill(model, value):
    for weight in model.weights:
        weight.assign(np.full(weight.shape, value, np.float32))


def kernel(model, name):
    return model.get_layer(name).kernel.numpy()


def test_a_layer_of_the_same_name_and_shapes_starts_from_the_runs_weights(earlier, run, start):
    model = network(last=2)
    start(model, run)
    for name in ("hidden_1", "hidden_2"):
        for ours, theirs in zip(
            model.get_layer(name).get_weights(),
            earlier[0].model.get_layer(name).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_a_layer_of_another_shape_stays_as_it_is(run, start):
    model = network(last=2)
    before = kernel(model, "logits")
    start(model, run)
    np.testing.assert_array_equal(kernel(model, "logits"), before)


def test_which_layers_have_the_runs_weights_is_logged_in_one_line(run, start):
    assert start(network(last=2), run) == (
        f"weights: from {run}: hidden_1, hidden_2; initialized: logits"
    )


def test_where_every_layer_matches_none_is_initialized(run, start):
    line = start(network(), run)
    assert line == f"weights: from {run}: hidden_1, hidden_2, logits; initialized: none"


def test_layers_to_freeze_are_not_trainable(run, start):
    model = network(last=2)
    line = start(model, run, freeze=("hidden_1", "hidden_2"))
    assert "hidden_1 (frozen), hidden_2 (frozen)" in line
    assert [v.path.split("/")[-2] for v in model.trainable_variables] == ["logits", "logits"]


def test_a_layer_that_does_not_match_is_not_frozen(run, start):
    model = network(last=2)
    start(model, run, freeze=("logits",))
    assert model.get_layer("logits").trainable


def test_the_best_weights_come_before_the_last(earlier, tmp_path, start):
    trainer, state = earlier
    fill(trainer.model, 1)
    after_an_epoch(trainer, state)
    fill(trainer.model, 2)
    state.save()
    model = network()
    start(model, tmp_path)
    assert (kernel(model, "logits") == 1).all()


def test_the_last_weights_are_used_where_there_is_no_best(earlier, tmp_path, start):
    trainer, state = earlier
    fill(trainer.model, 2)
    state.save()
    model = network()
    start(model, tmp_path)
    assert (kernel(model, "logits") == 2).all()


def test_a_head_is_found_again_on_top_of_an_extractor(run, start):
    below = keras.Sequential([layers.Dense(WIDTH, name="extractor")])
    model = keras.Sequential([below, network(last=2)])
    model(np.zeros([1, WIDTH], np.float32))
    assert start(model, run).endswith(": hidden_1, hidden_2; initialized: extractor, logits")


def test_many_layers_are_counted(make_trainer, state_of, tmp_path, start):
    deep = keras.Sequential([*(layers.Dense(WIDTH) for _ in range(10)), layers.Dense(3)])
    deep(np.zeros([1, WIDTH], np.float32))
    state_of(trainer_with(deep, make_trainer)).save()
    assert "dense_7 and 3 more; initialized: none" in start(deep, tmp_path)


def test_a_run_without_a_matching_layer_is_refused_with_the_layers_of_both(run, start):
    with pytest.raises(UserError) as error:
        start(network(hidden=5), run)
    assert str(error.value) == (
        f"--init-from {run}: none of its layers (dropout, hidden_1, hidden_2, logits) is one of"
        " this model's (hidden_1, hidden_2, logits) in name and shapes; choose a run of a"
        " similar network"
    )


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"there is no checkpoint in .*checkpoints; choose the fold"
    ):
        CheckpointReader(tmp_path)


def damage(checkpoint):
    index = checkpoint / "variables.index"
    index.write_bytes(index.read_bytes()[:50])


def test_a_damaged_checkpoint_is_warned_of_and_the_one_before_is_used(earlier, run, caplog):
    trainer, state = earlier
    before = kernel(trainer.model, "logits")
    fill(trainer.model, 2)
    trainer.step = 7
    state.best.copy()
    state.save()
    damage(run / "checkpoints" / "step-7")
    reader = CheckpointReader(run)
    np.testing.assert_array_equal(reader.value("logits/kernel"), before)
    [line] = caplog.messages
    assert "step-7" in line


def test_a_run_whose_checkpoints_are_all_damaged_is_refused(run):
    damage(run / "checkpoints" / "step-0")
    with pytest.raises(UserError, match="none of its 1 checkpoints is whole"):
        CheckpointReader(run)
