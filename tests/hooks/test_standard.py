import csv
import math
import signal

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from tests.training import BATCH, SIZES
from trainer import Hook
from trainer.checkpoints.checkpointer import make_checkpointer
from trainer.checkpoints.store import newest_checkpoint
from trainer.core import signals
from trainer.core.errors import DivergedError
from trainer.core.progress import ignore_progress
from trainer.core.run_folder import RunFolder
from trainer.hooks.standard import standard_hooks
from trainer.hooks.tensorboard import TensorBoardScalars
from trainer.hooks.terminate_on_nan import TerminateOnNaN
from trainer.loop.history import best_record
from trainer.loop.triggers import EverySteps
from trainer.report.clock import Clock
from trainer.report.summaries import Summaries

STEPS_PER_EPOCH = -(-SIZES["train"] // BATCH)


@pytest.fixture
def run_with(make_trainer, state_of, tmp_path, caplog):
    """Runs with the standard hooks, and others before them: the trainer, its folder, the lines."""
    caplog.set_level("INFO", "trainer")

    def run(*others, **options):
        trainer = make_trainer(**options)
        folder, state = RunFolder(tmp_path), state_of(trainer)
        trainer.summaries = Summaries(tmp_path)
        hooks = standard_hooks(
            trainer, state.best, folder, trainer.summaries, Clock(), ignore_progress
        )
        state.hooks = [*others, *hooks]
        trainer.fit(state.hooks, make_checkpointer(state, trainer))
        return trainer, folder, [record.getMessage() for record in caplog.records]

    return run


@pytest.fixture
def run(run_with):
    """Three epochs."""
    return run_with(epochs=3, log_every=5)


def points(folder: RunFolder, split: str) -> dict[str, dict[int, float]]:
    """The points of a split in TensorBoard: tag to step to value."""
    events = EventAccumulator(str(folder.path / split), size_guidance={"tensors": 0})
    events.Reload()
    return {
        tag: {e.step: float(tensor_util.make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)}
        for tag in events.Tags()["tensors"]
    }


def names(make_trainer, state_of, tmp_path, **options):
    trainer = make_trainer(**options)
    best, summaries = state_of(trainer).best, Summaries(tmp_path)
    hooks = standard_hooks(trainer, best, RunFolder(tmp_path), summaries, Clock(), ignore_progress)
    return [type(hook).__name__ for hook in hooks]


def test_a_run_has_a_hook_for_each_behaviour(make_trainer, state_of, tmp_path):
    assert names(make_trainer, state_of, tmp_path) == [
        "ShowProgress",
        "TensorBoardScalars",
        "TerminateOnNaN",
        "LogEpoch",
        "CSVLogger",
        "TrackBest",
    ]


def test_every_option_that_stops_training_has_its_hook(make_trainer, state_of, tmp_path):
    options = {"stop_at": ("loss<1",), "patience": 3, "max_minutes": 5.0, "dry_run": True}
    assert names(make_trainer, state_of, tmp_path, **options)[-4:] == [
        "StopAfterOneStep",
        "MaxMinutes",
        "StopAt",
        "EarlyStopping",
    ]


def test_the_history_has_a_record_an_epoch(run):
    trainer, _, _ = run
    assert [(r.epoch, r.step) for r in trainer.history] == [(1, 7), (2, 14), (3, 21)]


def test_training_metrics_are_those_of_the_epoch_alone(run):
    trainer, _, _ = run
    losses = [record.metrics["train"]["loss"] for record in trainer.history]
    assert losses == sorted(losses, reverse=True)
    assert trainer.train_metrics.result()["loss"] == 0.0


def test_the_curves_of_training_have_a_point_every_so_many_steps_and_at_every_epoch(run):
    _, folder, _ = run
    assert list(points(folder, "train")["loss"]) == [5, 7, 10, 14, 15, 20, 21]


def test_training_and_validation_have_the_same_tags_for_the_same_metrics(run):
    _, folder, _ = run
    train, validation = points(folder, "train"), points(folder, "validation")
    assert set(validation) == {"loss", "accuracy"}
    assert set(train) == {
        "loss",
        "accuracy",
        "gradient_norm",
        "learning_rate",
        "images_per_second",
    }


def test_validation_has_a_point_an_epoch_at_the_global_step(run):
    trainer, folder, _ = run
    assert points(folder, "validation")["accuracy"] == {
        record.step: pytest.approx(record.metrics["validation"]["accuracy"])
        for record in trainer.history
    }


def test_the_learning_rate_and_the_speed_have_curves(run):
    _, folder, _ = run
    train = points(folder, "train")
    assert list(train["learning_rate"].values()) == pytest.approx([0.01] * 7)
    assert all(speed > 0 for speed in train["images_per_second"].values())


def test_a_schedule_has_its_value_at_every_point_within_a_call(run_with):
    _, folder, _ = run_with(epochs=3, log_every=3, schedule="cosine", learning_rate=0.1)
    rates = points(folder, "train")["learning_rate"]
    expected = [0.05 * (1 + math.cos(math.pi * step / 21)) for step in rates]
    assert list(rates.values()) == pytest.approx(expected, abs=1e-7)


def test_history_csv_has_the_metrics_of_every_epoch(run):
    trainer, folder, _ = run
    with folder.history.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    expected = [record.metrics["validation"]["loss"] for record in trainer.history]
    np.testing.assert_allclose([float(row["validation_loss"]) for row in rows], expected)


def test_the_best_weights_reproduce_their_validation(run, make_trainer, state_of):
    trainer, folder, _ = run
    other = make_trainer(epochs=3)
    state = state_of(other)
    state.hooks = [TensorBoardScalars(Summaries(folder.path), every=5), TerminateOnNaN()]
    state.restore(newest_checkpoint(folder.checkpoints))
    state.best.restore()
    expected = best_record(trainer.history).metrics["validation"]
    assert other.evaluate("validation") == pytest.approx(expected)


def test_every_epoch_has_a_line(run):
    _, _, lines = run
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/3  step 7  train loss ")
    assert " validation loss " in lines[0]


# Epochs that are no data epochs, and epochs that are cut short.


class Stopper(Hook):
    """Stops at a step."""

    def __init__(self, step: int) -> None:
        self.when = EverySteps(step)

    def on_steps_end(self, trainer, output):
        trainer.stop("enough")


def saved(folder: RunFolder) -> list[int]:
    return sorted(int(path.name.removeprefix("step-")) for path in folder.checkpoints.iterdir())


def test_an_epoch_of_so_many_steps_has_a_record(run_with):
    trainer, _, _ = run_with(epochs=3, steps_per_epoch=5)
    assert [(r.epoch, r.step) for r in trainer.history] == [(1, 5), (2, 10), (3, 15)]


def test_an_epoch_that_is_cut_short_has_a_record_too(run_with):
    trainer, _, _ = run_with(Stopper(10), epochs=3)
    assert [(r.epoch, r.step) for r in trainer.history] == [(1, 7), (2, 10)]


def test_the_training_metrics_of_an_epoch_that_is_cut_short_are_of_its_steps_so_far(run_with):
    whole, _, _ = run_with(epochs=2, steps_per_epoch=5, log_every=1)
    cut, _, _ = run_with(Stopper(5), epochs=2, log_every=1)
    assert cut.history[0].metrics == whole.history[0].metrics


def test_a_run_that_is_stopped_in_its_first_epoch_has_a_checkpoint(run_with):
    _, folder, _ = run_with(Stopper(3), epochs=3)
    assert saved(folder)[-1] == 3


def test_the_curves_of_a_run_that_is_stopped_end_where_it_was(run_with):
    _, folder, _ = run_with(Stopper(10), epochs=3, log_every=100)
    assert list(points(folder, "train")["loss"]) == [7, 10]
    assert list(points(folder, "validation")["loss"]) == [7, 10]


def test_an_epoch_that_is_cut_short_has_a_line(run_with):
    _, _, lines = run_with(Stopper(10), epochs=3)
    assert [line[:18] for line in lines] == [
        "epoch 1/3  step 7 ",
        "epoch 2/3  step 10",
    ]


# How often a checkpoint is saved.


@pytest.mark.parametrize(
    ("every", "steps"),
    [
        ("1epoch", [7, 14, 21]),
        ("4steps", [16, 20, 21]),
        ("2epochs", [14, 21]),
        ("50%", [11, 21]),
    ],
)
def test_a_checkpoint_is_saved_as_often_as_asked_and_at_the_end(run_with, every, steps):
    _, folder, _ = run_with(epochs=3, checkpoint_every=every)
    assert saved(folder) == steps


def test_by_default_one_is_saved_at_the_end_at_least(run_with):
    _, folder, _ = run_with(epochs=3)
    assert saved(folder)[-1] == 21


def test_how_often_checkpoints_are_saved_changes_no_weight(run_with, weights):
    often, _, _ = run_with(epochs=2, checkpoint_every="1step")
    seldom, _, _ = run_with(epochs=2, checkpoint_every="100%")
    for one, other in zip(weights(often), weights(seldom), strict=True):
        np.testing.assert_array_equal(one, other)


# Divergence and signals.


class Break(Hook):
    """Makes a weight NaN, at a step."""

    def __init__(self, step: int) -> None:
        self.when = EverySteps(step)

    def on_steps_end(self, trainer, output):
        trainer.model.trainable_variables[-1].assign([math.nan] * 3)


def test_weights_that_are_not_finite_never_reach_a_checkpoint(run_with, tmp_path):
    with pytest.raises(DivergedError, match=r"^the loss of step 6 is nan \(last finite loss: "):
        run_with(Break(5), epochs=3, checkpoint_every="2steps")
    assert saved(RunFolder(tmp_path)) == [2, 4]


def test_a_validation_that_is_not_finite_ends_training_before_its_row(run_with, tmp_path):
    with pytest.raises(DivergedError, match=r"^the validation loss after step 7 is nan"):
        run_with(Break(7), epochs=3, checkpoint_every="2steps")
    assert saved(RunFolder(tmp_path)) == [2, 4, 6]
    assert not RunFolder(tmp_path).history.exists()


def test_a_signal_ends_training_when_everything_of_a_step_is_done(run_with, tmp_path):
    class Ask(Hook):
        when = EverySteps(6)

        def on_steps_end(self, trainer, output):
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(signals.Interrupted), signals.handle_signals(), signals.defer_signals():
        run_with(Ask(), epochs=3, checkpoint_every="3steps", log_every=2)
    assert saved(RunFolder(tmp_path)) == [3, 6]
    assert list(points(RunFolder(tmp_path), "train")["loss"]) == [2, 4, 6]
