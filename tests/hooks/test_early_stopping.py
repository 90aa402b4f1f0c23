import time

import pytest
import tensorflow as tf

from tests.training import BATCH, SIZES
from trainer import Trainer, UserError
from trainer.hooks.early_stopping import (
    EarlyStopping,
    MaxMinutes,
    StopAfterOneStep,
    StopAt,
    stops_after_epochs,
    stops_within_epochs,
)
from trainer.loop.history import EpochRecord
from trainer.loop.inner_loop import Span
from trainer.loop.triggers import EverySteps
from trainer.report.clock import Clock

STEPS_PER_EPOCH = -(-SIZES["train"] // BATCH)
EACH_EPOCH = EverySteps(STEPS_PER_EPOCH)
SPAN = Span(0, 1, {}, BATCH, 0.01)


def record(epoch: int, **validation: float) -> EpochRecord:
    train = {"loss": 1.0, "accuracy": 0.5, "gradient_norm": 1.0}
    metrics = {"train": train, "validation": {"loss": 1.0, "accuracy": 0.5, **validation}}
    return EpochRecord(epoch, 7 * epoch, 0.1, metrics)


@pytest.fixture
def trainer(make_trainer):
    """One that has done a single epoch, with a loss of 1 and an accuracy of one half."""
    trainer = make_trainer()
    trainer.history.append(record(1))
    return trainer


# At a target.


@pytest.mark.parametrize(
    ("bound", "stops"),
    [
        ("accuracy>=0.5", True),
        ("accuracy>0.5", False),
        ("accuracy>0.4", True),
        ("loss<=1", True),
        ("loss<1", False),
        ("loss<1.1", True),
        ("gradient_norm<2", True),
        ("validation/accuracy>=0.5", True),
        ("validation/accuracy>=0.6", False),
    ],
)
def test_training_stops_where_a_target_is_reached(trainer, bound, stops):
    StopAt(trainer, [bound], EACH_EPOCH)(trainer, SPAN)
    assert (trainer.stopped is not None) == stops


@pytest.mark.parametrize(
    ("bounds", "stops"),
    [
        (["accuracy>=0.5", "loss<=1"], True),
        (["accuracy>=0.5", "loss<1"], False),
        (["accuracy>=0.5", "validation/loss<=1"], True),
    ],
)
def test_of_several_targets_all_must_be_reached(trainer, bounds, stops):
    StopAt(trainer, bounds, EACH_EPOCH)(trainer, SPAN)
    assert (trainer.stopped is not None) == stops


def test_the_last_epoch_counts_and_none_before_it(trainer):
    trainer.history = [record(1, accuracy=0.9), record(2, accuracy=0.4)]
    StopAt(trainer, ["validation/accuracy>0.8"], EACH_EPOCH)(trainer, SPAN)
    assert trainer.stopped is None


def test_nine_of_ten_reach_a_target_of_nine_tenths(trainer):
    """In float32, as metrics are, 9 / 10 is a little less than Python's 0.9."""
    trainer.history.append(record(2, accuracy=0.8999999761581421))
    StopAt(trainer, ["validation/accuracy>=0.9"], EACH_EPOCH)(trainer, SPAN)
    assert trainer.stopped == "--stop-at validation/accuracy>=0.9"


def test_a_metric_that_there_is_not_is_refused_before_training(make_trainer):
    trainer = make_trainer()
    with pytest.raises(UserError) as error:
        StopAt(trainer, ["f1>=0.9"], EACH_EPOCH)
    assert str(error.value) == (
        "--stop-at f1>=0.9: train has no metric 'f1'; there are loss, gradient_norm, accuracy"
    )
    assert trainer.step == 0


def test_what_steps_return_in_training_is_no_metric_of_validation(make_trainer):
    with pytest.raises(UserError, match="validation has no metric 'gradient_norm'"):
        StopAt(make_trainer(), ["validation/gradient_norm<1"], EACH_EPOCH)


# Without progress.


@pytest.mark.parametrize(
    ("accuracies", "stops"),
    [
        ([0.5], False),
        ([0.5, 0.4], False),
        ([0.5, 0.4, 0.4], True),
        ([0.5, 0.5, 0.5], True),
        ([0.5, 0.4, 0.6], False),
        ([0.5, 0.4, 0.6, 0.5], False),
        ([0.5, 0.4, 0.6, 0.5, 0.5], True),
    ],
    ids=str,
)
def test_patience_ends_after_so_many_epochs_without_a_better_one(trainer, accuracies, stops):
    trainer.history = [record(n, accuracy=value) for n, value in enumerate(accuracies, 1)]
    EarlyStopping(2, EACH_EPOCH)(trainer, SPAN)
    assert trainer.stopped == ("--patience 2" if stops else None)


def test_an_equal_accuracy_with_a_lower_loss_is_better(trainer):
    trainer.history = [record(n, accuracy=0.5, loss=1 / n) for n in range(1, 5)]
    EarlyStopping(1, EACH_EPOCH)(trainer, SPAN)
    assert trainer.stopped is None


# After a time.


@pytest.fixture
def clock():
    """Training has taken two milliseconds."""
    clock = Clock()
    clock.add({"extract": 0.0, "train": 0.002, "evaluate": 0.0, "total": 0.002})
    return clock


def test_before_the_time_is_over_training_goes_on(trainer, clock):
    MaxMinutes(1, clock)(trainer, SPAN)
    assert trainer.stopped is None


def test_after_the_time_training_stops(trainer, clock):
    MaxMinutes(1e-9, clock)(trainer, SPAN)
    assert trainer.stopped == "--max-minutes 1e-09"


def test_the_time_before_a_run_was_interrupted_counts_too(trainer, clock):
    clock.add({"extract": 0.0, "train": 60.0, "evaluate": 0.0, "total": 61.0})
    MaxMinutes(1, clock)(trainer, SPAN)
    assert trainer.stopped == "--max-minutes 1"


def test_a_training_that_is_over_anyway_is_not_stopped(trainer, clock):
    trainer.step = trainer.total_steps
    MaxMinutes(1e-9, clock)(trainer, SPAN)
    assert trainer.stopped is None


def test_spans_are_short_enough_to_see_that_the_time_is_over(make_trainer):
    class Slow(Trainer):
        """A fiftieth of a second a step."""

        def train_step(self, batch):
            values = super().train_step(batch)
            with tf.control_dependencies([tf.py_function(lambda: time.sleep(0.02), [], [])]):
                return {name: tf.identity(value) for name, value in values.items()}

    trainer = make_trainer(Slow, epochs=1000, jit="off")
    trainer.build()
    began, seconds, clock = time.monotonic(), 1.0, Clock()
    with clock.phase("train"):
        trainer.fit([MaxMinutes(seconds / 60, clock)])
    assert trainer.stopped
    assert seconds <= time.monotonic() - began < seconds + 1.0


# Which of them a run has.


def names(hooks):
    return [type(hook).__name__ for hook in hooks]


def test_without_an_option_nothing_stops_training(make_trainer):
    trainer = make_trainer()
    assert not stops_within_epochs(trainer, Clock())
    assert not stops_after_epochs(trainer, EACH_EPOCH)


def test_every_option_has_its_hook(make_trainer):
    options = {"stop_at": ("loss<1",), "patience": 3, "max_minutes": 5.0, "dry_run": True}
    trainer = make_trainer(**options)
    assert names(stops_within_epochs(trainer, Clock())) == ["StopAfterOneStep", "MaxMinutes"]
    assert names(stops_after_epochs(trainer, EACH_EPOCH)) == ["StopAt", "EarlyStopping"]


def test_a_dry_run_ends_after_one_step(make_trainer):
    trainer = make_trainer()
    trainer.fit([StopAfterOneStep()])
    assert (trainer.step, trainer.stopped) == (1, "--dry-run")
