"""Everything that training resumes from comes back, and no diverged weight is saved."""

import numpy as np
import pytest

from trainer import Hook, UserError
from trainer.checkpoints.store import newest_checkpoint
from trainer.core.errors import DivergedError
from trainer.loop.triggers import EverySteps
from trainer.report.clock import Clock

WITHIN = 10
"""A step within the second epoch."""


class LeftError(Exception):
    """Ends `fit` on the spot, with the trainer as it is."""


class Leave(Hook):
    """Stops training within the second epoch, counts that, and leaves `fit`."""

    when = EverySteps(WITHIN)

    def __init__(self):
        self.stops = 0

    def on_steps_end(self, trainer, output):
        self.stops += 1
        trainer.stop("--max-minutes 1")
        raise LeftError

    def state_dict(self):
        return {"stops": self.stops}

    def load_state_dict(self, state):
        self.stops = state["stops"]


def values(trainer, state) -> list[np.ndarray]:
    variables = [
        *trainer.model.variables,
        *trainer.optimizer.variables,
        *trainer.train_metrics.variables,
        *state.best.variables.values(),
    ]
    return [variable.numpy() for variable in variables]


def newest(folder):
    return newest_checkpoint(folder / "checkpoints")


@pytest.fixture
def within_an_epoch(make_trainer, state_of):
    """A trainer that was stopped within an epoch, and its state, which is saved."""

    def run(**options):
        trainer = make_trainer(**{"ema": 0.9, **options})
        state = state_of(trainer)
        state.hooks = [Leave()]
        with pytest.raises(LeftError):
            trainer.fit(state.hooks)
        state.best.copy()
        state.save()
        return trainer, state

    return run


@pytest.fixture
def restored(make_trainer, state_of, tmp_path, caplog):
    """A new trainer of another seed, to which the newest checkpoint is restored."""

    def restore(**options):
        trainer = make_trainer(**{"ema": 0.9, "seed": 3, **options})
        state = state_of(trainer)
        state.hooks = [Leave()]
        state.restore(newest(tmp_path))
        assert not caplog.messages
        return trainer, state

    return restore


def test_every_variable_comes_back(within_an_epoch, restored):
    for one, other in zip(values(*within_an_epoch()), values(*restored()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_seeds_of_dropout_are_among_them(within_an_epoch, restored):
    def seeds(trainer):
        return [v.numpy().tolist() for v in trainer.model.variables if "seed" in v.path]

    trainer, _ = within_an_epoch()
    assert seeds(trainer)
    assert seeds(restored()[0]) == seeds(trainer)


def test_the_metrics_of_an_unfinished_epoch_come_back(within_an_epoch, restored):
    trainer, _ = within_an_epoch()
    metrics = trainer.train_metrics.result()
    assert metrics["loss"] > 0
    assert restored()[0].train_metrics.result() == metrics


def test_the_state_of_a_hook_comes_back(within_an_epoch, restored):
    within_an_epoch()
    [hook] = restored()[1].hooks
    assert hook.stops == 1


class Stateless(Hook):
    """May change the trainer as any hook may."""


def test_without_a_hook_of_the_users_that_has_no_state_there_is_a_warning(
    make_trainer, state_of, tmp_path, caplog
):
    before = state_of(make_trainer())
    before.hooks = [Stateless()]
    before.save()
    state_of(make_trainer()).restore(newest(tmp_path))
    [line] = caplog.messages
    assert line.endswith(":Stateless: without it the weights may differ")


def test_without_a_hook_that_has_state_it_is_refused(
    within_an_epoch, make_trainer, state_of, tmp_path
):
    within_an_epoch()
    state = state_of(make_trainer(ema=0.9))
    with pytest.raises(UserError, match=r"holds the state of a hook .*:Leave, which this run does"):
        state.restore(newest(tmp_path))


def test_the_best_weights_are_not_those_that_training_resumes_from(
    within_an_epoch, restored, weights
):
    trainer, state = within_an_epoch()
    best = weights(trainer)
    trainer.stopped = None
    trainer.fit()
    state.save()
    other, other_state = restored()
    for own, present in zip(weights(trainer), weights(other), strict=True):
        np.testing.assert_array_equal(own, present)
    other_state.best.restore()
    for copied, restored_best in zip(best, weights(other), strict=True):
        np.testing.assert_array_equal(copied, restored_best)


def test_the_step_comes_back(within_an_epoch, restored):
    within_an_epoch()
    assert restored()[0].step == WITHIN


def test_the_history_comes_back(make_trainer, state_of, restored):
    trainer = make_trainer(ema=0.9)
    state = state_of(trainer)
    trainer.fit()
    state.save()
    other, _ = restored()
    assert len(trainer.history) == 2
    assert other.history == trainer.history


def test_a_run_that_was_stopped_is_stopped(within_an_epoch, restored):
    within_an_epoch()
    assert restored()[0].stopped == "--max-minutes 1"


@pytest.mark.parametrize(
    "options",
    [{"epochs": 5}, {"patience": 2}, {"max_minutes": 2.0}, {"stop_at": ("loss<0",)}],
    ids=str,
)
def test_with_another_condition_to_stop_it_continues(within_an_epoch, restored, options):
    within_an_epoch()
    assert restored(**options)[0].stopped is None


def test_the_time_of_a_run_adds_up(make_trainer, state_of, tmp_path):
    before, clock = Clock(), Clock()
    before.add({"extract": 1.5, "train": 60.0, "evaluate": 0.0, "total": 70.0})
    state_of(make_trainer(), before).save()
    state_of(make_trainer(), clock).restore(newest(tmp_path))
    assert clock.seconds["extract"] == 1.5
    assert clock.seconds["train"] == 60.0
    assert clock.seconds["total"] >= 70.0


def test_a_checkpoint_behind_the_last_step_is_refused(within_an_epoch, restored):
    within_an_epoch()
    with pytest.raises(UserError, match="--epochs 1: the run is in epoch 2 already"):
        restored(epochs=1)


def test_a_run_may_have_as_many_epochs_as_it_has_had(within_an_epoch, restored):
    trainer, state = within_an_epoch()
    trainer.stopped = None
    trainer.fit()
    state.save()
    assert restored(epochs=2)[0].finished


@pytest.mark.parametrize("options", [{"ema": None}, {"optimizer": "sgd"}], ids=str)
def test_a_checkpoint_of_another_optimizer_is_refused(within_an_epoch, restored, options):
    within_an_epoch()
    with pytest.raises(UserError, match="is of another model or optimizer"):
        restored(**options)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_never_saved(within_an_epoch, tmp_path, poison):
    trainer, state = within_an_epoch()
    before = sorted(tmp_path.rglob("*"))
    bias = trainer.model.trainable_variables[-1]
    bias.assign([0.0, poison, 0.0])
    with pytest.raises(DivergedError, match=f"after step {WITHIN} there are weights that are not"):
        state.save()
    assert sorted(tmp_path.rglob("*")) == before


def test_another_environment_is_warned_of(
    within_an_epoch, make_trainer, state_of, tmp_path, caplog
):
    within_an_epoch()
    state = state_of(make_trainer(ema=0.9), cores=64)
    state.hooks = [Leave()]
    state.restore(newest(tmp_path))
    assert caplog.messages == ["the run began on 2 cores, not 64: last bits may differ"]


def test_other_classes_are_refused_before_any_weight_changes(
    within_an_epoch, make_trainer, state_of, weights, tmp_path
):
    within_an_epoch()
    other = make_trainer(ema=0.9, seed=3)
    state, own = state_of(other, classes=["x", "y", "z"]), weights(other)
    with pytest.raises(UserError, match="the data have changed"):
        state.restore(newest(tmp_path))
    for one, present in zip(own, weights(other), strict=True):
        np.testing.assert_array_equal(one, present)
