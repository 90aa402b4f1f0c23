"""`self.step`, `self.seed_of`, `self.example_indices`: a step outside of its graph and within."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from trainer import Hook, Trainer


class Numbered(Trainer):
    """Returns the number of every step, and a number drawn for it."""

    def train_step(self, batch):
        drawn = tf.random.stateless_uniform([], self.seed_of(self.step))
        number = tf.cast(self.step, tf.float32)
        return {**super().train_step(batch), "number": number, "drawn": drawn}


class RecordValues(Hook):
    """Collects what every step returned."""

    def __init__(self):
        self.values = collections.defaultdict(list)

    def on_steps_end(self, trainer, output):
        for name, values in output.values.items():
            self.values[name].extend(values)


@pytest.fixture
def recorded(make_trainer):
    """What the steps of a training returned, by name."""

    def train(**options):
        hook = RecordValues()
        make_trainer(Numbered, **options).fit([hook])
        return hook.values

    return train


@pytest.mark.parametrize("jit", ["on", "off"])
def test_within_a_step_it_is_the_number_of_the_step(recorded, jit):
    assert recorded(jit=jit)["number"] == list(range(14))


def test_outside_of_a_step_it_is_how_many_are_done(make_trainer):
    trainer = make_trainer(Numbered)
    assert trainer.step == 0
    trainer.fit()
    assert trainer.step == 14


def test_the_seed_of_a_step_follows_from_the_seed_and_the_number(recorded):
    drawn = recorded(seed=3)["drawn"]
    expected = [tf.random.stateless_uniform([], [3, step]).numpy() for step in range(14)]
    np.testing.assert_array_equal(drawn, expected)


def test_within_an_evaluation_it_is_the_number_of_the_batch(make_trainer):
    class Summing(Trainer):
        def eval_step(self, batch):
            return {**super().eval_step(batch), "number": tf.cast(self.step, tf.float32)}

    trainer = make_trainer(Summing, batch_size=7)
    assert trainer.evaluate("validation")["number"] == 1  # the mean of 0, 1 and 2


def test_after_a_step_that_failed_in_its_trace_it_is_a_number_again(make_trainer):
    class Failing(Trainer):
        def train_step(self, batch):
            raise NotImplementedError

    trainer = make_trainer(Failing)
    with pytest.raises(NotImplementedError):
        trainer.build()
    assert trainer.step == 0
