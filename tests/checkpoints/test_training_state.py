"""All that training goes on from comes back, and nothing poisoned is kept."""

import numpy as np
import pytest

from trainer import UserError
from trainer.checkpoints.store import newest_checkpoint
from trainer.core.errors import DivergedError
from trainer.hooks.standard import Evaluate
from trainer.loop.triggers import EverySteps
from trainer.report.clock import Clock

MIDST = 10
"""A step in the midst of the second epoch."""


class Stop:
    when = EverySteps(MIDST)

    def __call__(self, trainer, span):
        trainer.stop("--max-minutes 1")


def values(trainer, state) -> list[np.ndarray]:
    variables = [
        *trainer.model.variables,
        *trainer.optimizer.variables,
        *trainer.train_metrics.variables,
        *state.best.variables.values(),
    ]
    return [variable.numpy() for variable in variables]


def newest(folder):
    return newest_checkpoint(folder / "checkpoints", print)


@pytest.fixture
def in_the_midst(make_trainer, state_of):
    """A trainer that was stopped in the midst of an epoch, and its state, which is saved."""

    def run(**options):
        trainer = make_trainer(**{"jit": "off", "ema": 0.9, **options})
        state = state_of(trainer)
        trainer.fit([Stop()])
        state.best.keep()
        state.save()
        return trainer, state

    return run


@pytest.fixture
def restored(make_trainer, state_of, tmp_path):
    """A new trainer of another seed, to which the newest checkpoint is restored."""

    def restore(**options):
        trainer = make_trainer(**{"jit": "off", "ema": 0.9, "seed": 3, **options})
        state = state_of(trainer)
        assert state.restore(newest(tmp_path)) == []
        return trainer, state

    return restore


def test_every_variable_comes_back(in_the_midst, restored):
    for one, other in zip(values(*in_the_midst()), values(*restored()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_seeds_of_dropout_are_among_them(in_the_midst, restored):
    def seeds(trainer):
        return [v.numpy().tolist() for v in trainer.model.variables if "seed" in v.path]

    trainer, _ = in_the_midst()
    assert seeds(trainer)
    assert seeds(restored()[0]) == seeds(trainer)


def test_the_metrics_of_an_epoch_under_way_come_back(in_the_midst, restored):
    trainer, _ = in_the_midst()
    metrics = trainer.train_metrics.result()
    assert metrics["loss"] > 0
    assert restored()[0].train_metrics.result() == metrics


def test_the_best_is_not_what_training_goes_on_from(in_the_midst, restored, weights):
    trainer, state = in_the_midst()
    best = weights(trainer)
    trainer.stopped = None
    trainer.fit()
    state.save()
    other, other_state = restored()
    for own, present in zip(weights(trainer), weights(other), strict=True):
        np.testing.assert_array_equal(own, present)
    other_state.best.restore()
    for kept, brought_back in zip(best, weights(other), strict=True):
        np.testing.assert_array_equal(kept, brought_back)


def test_the_step_comes_back(in_the_midst, restored):
    in_the_midst()
    assert restored()[0].step == MIDST


def test_the_history_comes_back(make_trainer, state_of, restored):
    trainer = make_trainer(jit="off", ema=0.9)
    state = state_of(trainer)
    trainer.fit([Evaluate(EverySteps(7))])
    state.save()
    other, _ = restored()
    assert len(trainer.history) == 2
    assert other.history == trainer.history


def test_a_run_that_was_stopped_is_stopped(in_the_midst, restored):
    in_the_midst()
    assert restored()[0].stopped == "--max-minutes 1"


@pytest.mark.parametrize(
    "options",
    [{"epochs": 5}, {"patience": 2}, {"max_minutes": 2.0}, {"stop_at": ("loss<0",)}],
    ids=str,
)
def test_with_another_rule_to_stop_by_it_goes_on(in_the_midst, restored, options):
    in_the_midst()
    assert restored(**options)[0].stopped is None


def test_the_time_of_a_run_counts_on(make_trainer, state_of, tmp_path):
    before, clock = Clock(), Clock()
    before.add({"extract": 1.5, "train": 60.0, "evaluate": 0.0, "total": 70.0})
    state_of(make_trainer(jit="off"), before).save()
    state_of(make_trainer(jit="off"), clock).restore(newest(tmp_path))
    assert clock.seconds["extract"] == 1.5
    assert clock.seconds["train"] == 60.0
    assert clock.seconds["total"] >= 70.0


def test_a_checkpoint_behind_the_last_step_is_refused(in_the_midst, restored):
    in_the_midst()
    with pytest.raises(UserError, match="--epochs 1: the run is in epoch 2 already"):
        restored(epochs=1)


def test_as_many_steps_as_it_has_had_are_enough(in_the_midst, restored):
    trainer, state = in_the_midst()
    trainer.stopped = None
    trainer.fit()
    state.save()
    assert restored(epochs=2)[0].finished


@pytest.mark.parametrize("options", [{"ema": None}, {"optimizer": "sgd"}], ids=str)
def test_a_checkpoint_of_another_optimizer_is_refused(in_the_midst, restored, options):
    in_the_midst()
    with pytest.raises(UserError, match="is of another model or optimizer"):
        restored(**options)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_never_kept(in_the_midst, tmp_path, poison):
    trainer, state = in_the_midst()
    before = sorted(tmp_path.rglob("*"))
    bias = trainer.model.trainable_variables[-1]
    bias.assign([0.0, poison, 0.0])
    with pytest.raises(DivergedError, match=f"after step {MIDST} there are weights that are not"):
        state.save()
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_another_is_told(in_the_midst, make_trainer, state_of, tmp_path):
    in_the_midst()
    state = state_of(make_trainer(jit="off", ema=0.9), cores=64)
    assert state.restore(newest(tmp_path)) == [
        "the run began on 2 cores, not 64: last bits may differ"
    ]


def test_other_classes_are_refused_before_any_weight_changes(
    in_the_midst, make_trainer, state_of, weights, tmp_path
):
    in_the_midst()
    other = make_trainer(jit="off", ema=0.9, seed=3)
    state, own = state_of(other, classes=["x", "y", "z"]), weights(other)
    with pytest.raises(UserError, match="the data have changed"):
        state.restore(newest(tmp_path))
    for one, present in zip(own, weights(other), strict=True):
        np.testing.assert_array_equal(one, present)
