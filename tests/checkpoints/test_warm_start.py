"""Layers of an earlier run, taken by name and shapes, frozen where the task wants it."""

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

    return make_trainer(Ours, jit="off")


def after_an_epoch(trainer, state):
    """It has a best from now on."""
    validation = {"loss": 1.0, "accuracy": 0.5}
    trainer.history.append(EpochRecord(1, 7, 0.1, {"train": {}, "validation": validation}))
    state.best.keep()


@pytest.fixture
def earlier(make_trainer, state_of):
    """A trainer with a network of its own, and its state: nothing is saved yet."""
    trainer = trainer_with(network(), make_trainer)
    return trainer, state_of(trainer)


@pytest.fixture
def run(earlier, tmp_path):
    """The folder of a run that kept its best."""
    after_an_epoch(*earlier)
    earlier[1].save()
    return tmp_path


@pytest.fixture
def take():
    """Takes weights as `warm_start` does; gives the line that it tells."""

    def take(model, run, freeze_on_init=()):
        told = []
        warm_start(model, run, told.append, freeze_on_init)
        [line] = told
        return line

    return take


def fill(model, value):
    for weight in model.weights:
        weight.assign(np.full(weight.shape, value, np.float32))


def kernel(model, name):
    return model.get_layer(name).kernel.numpy()


def test_a_layer_of_the_same_name_and_shapes_begins_with_the_runs_weights(earlier, run, take):
    model = network(last=2)
    take(model, run)
    for name in ("hidden_1", "hidden_2"):
        for ours, theirs in zip(
            model.get_layer(name).get_weights(),
            earlier[0].model.get_layer(name).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_a_layer_of_another_shape_stays_as_it_is(run, take):
    model = network(last=2)
    before = kernel(model, "logits")
    take(model, run)
    np.testing.assert_array_equal(kernel(model, "logits"), before)


def test_what_was_taken_and_what_was_left_is_told_in_one_line(run, take):
    assert take(network(last=2), run) == (
        f"weights: taken from {run}: hidden_1, hidden_2; left: logits"
    )


def test_where_every_layer_matches_none_is_left(run, take):
    told = take(network(), run)
    assert told == f"weights: taken from {run}: hidden_1, hidden_2, logits; left: none"


def test_layers_that_are_to_be_frozen_learn_no_more(run, take):
    model = network(last=2)
    told = take(model, run, freeze_on_init=("hidden_1", "hidden_2"))
    assert "hidden_1 (frozen), hidden_2 (frozen)" in told
    assert [v.path.split("/")[-2] for v in model.trainable_variables] == ["logits", "logits"]


def test_a_layer_that_was_not_taken_is_not_frozen(run, take):
    model = network(last=2)
    take(model, run, freeze_on_init=("logits",))
    assert model.get_layer("logits").trainable


def test_the_best_is_preferred_to_the_last(earlier, tmp_path, take):
    trainer, state = earlier
    fill(trainer.model, 1)
    after_an_epoch(trainer, state)
    fill(trainer.model, 2)
    state.save()
    model = network()
    take(model, tmp_path)
    assert (kernel(model, "logits") == 1).all()


def test_the_last_is_taken_where_there_is_no_best(earlier, tmp_path, take):
    trainer, state = earlier
    fill(trainer.model, 2)
    state.save()
    model = network()
    take(model, tmp_path)
    assert (kernel(model, "logits") == 2).all()


def test_a_head_is_found_again_on_top_of_an_extractor(run, take):
    below = keras.Sequential([layers.Dense(WIDTH, name="extractor")])
    model = keras.Sequential([below, network(last=2)])
    model(np.zeros([1, WIDTH], np.float32))
    assert take(model, run).endswith(": hidden_1, hidden_2; left: extractor, logits")


def test_many_layers_are_counted(make_trainer, state_of, tmp_path, take):
    deep = keras.Sequential([layers.Dense(WIDTH) for _ in range(11)])
    deep(np.zeros([1, WIDTH], np.float32))
    state_of(trainer_with(deep, make_trainer)).save()
    assert "dense_7 and 3 more; left: none" in take(deep, tmp_path)


def test_a_run_whose_layers_are_all_others_is_refused_with_both(run, take):
    with pytest.raises(UserError) as error:
        take(network(hidden=5), run)
    assert str(error.value) == (
        f"--init-from {run}: none of its layers (dropout, hidden_1, hidden_2, logits) is one of"
        " this model's (hidden_1, hidden_2, logits) in name and shapes; give a run of a network"
        " like it"
    )


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"there is no checkpoint in .*checkpoints; give the fold"):
        CheckpointReader(tmp_path, print)


def damage(checkpoint):
    index = checkpoint / "variables.index"
    index.write_bytes(index.read_bytes()[:50])


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_taken(earlier, run):
    trainer, state = earlier
    before = kernel(trainer.model, "logits")
    fill(trainer.model, 2)
    trainer.step = 7
    state.best.keep()
    state.save()
    damage(run / "checkpoints" / "step-7")
    told = []
    kept = CheckpointReader(run, told.append)
    np.testing.assert_array_equal(kept.value("logits/kernel"), before)
    assert len(told) == 1
    assert "step-7" in told[0]


def test_a_run_whose_checkpoints_are_all_damaged_is_refused(run):
    damage(run / "checkpoints" / "step-0")
    with pytest.raises(UserError, match="none of its 1 checkpoints is whole"):
        CheckpointReader(run, lambda _: None)
