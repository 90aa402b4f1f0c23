"""`self.step`, `self.seed_of`, `self.example_indices`: a step outside of its graph and within."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from tests.training import Tiny
from trainer import Config, Hook, Trainer, UserError
from trainer.optimization.losses import check_label_options


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


# The indices of its examples.


class Indexed(Trainer):
    """Counts in a variable how often every training example was in a step."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = tf.Variable(tf.zeros([50]), trainable=False)
        self.labels = tf.Variable(tf.zeros([50], tf.int32), trainable=False)

    def train_step(self, batch):
        _, labels, sample_weight = batch
        rows = self.example_indices[:, None]
        self.seen.scatter_nd_add(rows, sample_weight)
        self.labels.scatter_nd_update(rows, labels)
        return super().train_step(batch)


@pytest.mark.parametrize("jit", ["on", "off"])
def test_a_step_has_the_indices_of_its_examples(make_trainer, jit):
    trainer = make_trainer(Indexed, jit=jit)
    trainer.fit()
    assert trainer.seen.numpy().tolist() == [2] * 50  # in two epochs
    np.testing.assert_array_equal(trainer.labels, trainer.batches["train"].labels)


def test_outside_of_a_step_there_are_no_indices(make_trainer):
    with pytest.raises(RuntimeError, match="those of a step; there are none outside of one"):
        _ = make_trainer(Indexed).example_indices


# Targets.


def test_a_tasks_targets_take_the_place_of_the_labels(make_trainer, monkeypatch):
    """Classes 1 and 2 become one: what a step, the loss and the metrics get are 0 and 1."""

    class Highest(Trainer):
        def train_step(self, batch):
            highest = tf.cast(tf.reduce_max(batch[1]), tf.float32)
            return {**super().train_step(batch), "highest": highest}

    monkeypatch.setattr(Tiny, "targets", lambda self, inputs, labels: tf.minimum(labels, 1))
    trainer = make_trainer(Highest)
    trainer.fit(hooks := [RecordValues()])
    assert max(hooks[0].values["highest"]) == 1
    assert trainer.history[-1].metrics["validation"]["accuracy"] > 0.6


@pytest.mark.parametrize("option", [{"label_smoothing": 0.1}, {"class_weights": "balanced"}])
def test_options_of_labels_are_refused_where_a_task_has_targets_of_its_own(monkeypatch, option):
    monkeypatch.setattr(Tiny, "targets", lambda self, inputs, labels: labels)
    with pytest.raises(UserError, match="is for classes as the data have them, and tiny has targ"):
        check_label_options(Tiny(), Config(**option))
