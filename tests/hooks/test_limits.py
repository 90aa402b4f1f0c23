import time

import pytest
import tensorflow as tf

from tests.training import BATCH
from trainer import LoopOutput, Trainer
from trainer.hooks.limits import MaxMinutes, StopAfterOneStep
from trainer.report.clock import Clock

OUTPUT = LoopOutput(0, 1, {}, BATCH, 0.01)


@pytest.fixture
def clock():
    """Training has taken two milliseconds."""
    clock = Clock()
    clock.add({"extract": 0.0, "train": 0.002, "evaluate": 0.0, "total": 0.002})
    return clock


@pytest.fixture
def trainer(make_trainer):
    return make_trainer()


def test_before_the_time_is_over_training_continues(trainer, clock):
    MaxMinutes(1, clock).on_steps_end(trainer, OUTPUT)
    assert trainer.stopped is None


def test_after_the_time_training_stops(trainer, clock):
    MaxMinutes(1e-9, clock).on_steps_end(trainer, OUTPUT)
    assert trainer.stopped == "--max-minutes 1e-09"


def test_the_time_before_a_run_was_interrupted_counts_too(trainer, clock):
    clock.add({"extract": 0.0, "train": 60.0, "evaluate": 0.0, "total": 61.0})
    MaxMinutes(1, clock).on_steps_end(trainer, OUTPUT)
    assert trainer.stopped == "--max-minutes 1"


def test_a_training_that_is_over_anyway_is_not_stopped(trainer, clock):
    trainer.step = trainer.total_steps
    MaxMinutes(1e-9, clock).on_steps_end(trainer, OUTPUT)
    assert trainer.stopped is None


def test_calls_are_short_enough_to_notice_that_the_time_is_over(make_trainer):
    class Slow(Trainer):
        """A fiftieth of a second a step."""

        def train_step(self, batch):
            values = super().train_step(batch)
            with tf.control_dependencies([tf.py_function(lambda: time.sleep(0.02), [], [])]):
                return {name: tf.identity(value) for name, value in values.items()}

    trainer = make_trainer(Slow, epochs=1000)
    trainer.build()
    began, seconds, clock = time.monotonic(), 1.0, Clock()
    with clock.phase("train"):
        trainer.fit([MaxMinutes(seconds / 60, clock)])
    assert trainer.stopped
    assert seconds <= time.monotonic() - began < seconds + 5.0


def test_a_dry_run_ends_after_one_step(trainer):
    trainer.fit([StopAfterOneStep()])
    assert (trainer.step, trainer.stopped) == (1, "--dry-run")
