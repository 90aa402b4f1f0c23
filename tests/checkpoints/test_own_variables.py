"""What a subclass keeps on the trainer is in its checkpoints, by the name of the attribute."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import Hook, Trainer
from trainer.checkpoints.own_variables import own_variables
from trainer.checkpoints.store import newest_checkpoint
from trainer.loop.triggers import EverySteps


class Own(Trainer):
    """Keeps state of every kind, in attributes and in containers of them."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.threshold = tf.Variable(0.5)
        self.buffers = {"kernel": keras.Variable([1.0, 2.0])}
        self.second = keras.optimizers.SGD(momentum=0.9)
        self.second.build([keras.Variable([1.0])])
        self.metric = [keras.metrics.Mean(), keras.metrics.Mean()]
        self.layer = keras.layers.Dense(2)
        self.layer.build([None, 3])
        self.generator = tf.random.Generator.from_seed(1)
        self.seeds = keras.random.SeedGenerator(2)


def names(trainer):
    return {name.partition("/")[0] for name in own_variables(trainer)}


def test_every_kind_of_attribute_is_found_by_its_name(make_trainer):
    trainer = make_trainer(Own)
    kinds = {"threshold", "buffers", "second", "metric", "layer", "generator", "seeds"}
    assert names(trainer) == kinds


def test_the_place_of_a_variable_is_its_name(make_trainer):
    assert {"threshold", "buffers/kernel", "layer/0", "layer/1", "metric/1/0"} < set(
        own_variables(make_trainer(Own))
    )


def test_our_own_trainer_has_none(make_trainer):
    assert own_variables(make_trainer()) == {}


class Twice(Trainer):
    """Two optimizers, a buffer that decides about the gradients, and a generator."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.second = keras.optimizers.Adam(0.01)
        self.second.build(self.model.trainable_variables)
        self.threshold = tf.Variable(0.0)
        self.generator = tf.random.Generator.from_seed(1)

    def train_step(self, batch):
        inputs, labels, sample_weight = batch
        noise = 0.1 * self.generator.normal(tf.shape(inputs))
        values = super().train_step((inputs + noise, labels, sample_weight))
        gradients = [0.01 * v.value + self.threshold for v in self.model.trainable_variables]
        self.second.apply(gradients, self.model.trainable_variables)
        self.threshold.assign_add(0.001 * values["loss"])
        return values


def test_a_training_with_state_of_its_own_is_resumed_to_the_bit(
    make_trainer, state_of, weights, tmp_path
):
    whole = make_trainer(Twice)
    state = state_of(whole)

    class SaveAtTen(Hook):
        when = EverySteps(10)

        def on_steps_end(self, trainer, output):
            state.save()

    whole.fit([SaveAtTen()])
    resumed = make_trainer(Twice)
    state_of(resumed).restore(newest_checkpoint(tmp_path / "checkpoints"))
    resumed.fit()
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.threshold.numpy() == whole.threshold.numpy()


HIDDEN = [tf.Variable(0.0, name="hidden_counter")]


class Hiding(Trainer):
    def train_step(self, batch):
        HIDDEN[0].assign_add(1.0)
        return super().train_step(batch)


def test_a_step_that_writes_what_no_checkpoint_holds_is_refused(make_trainer, state_of):
    with pytest.raises(TypeError, match=r"Hiding.train_step writes variables .*\(hidden_counter\)"):
        state_of(make_trainer(Hiding))


class Reading(Trainer):
    def train_step(self, batch):
        return {**super().train_step(batch), "read": HIDDEN[0] + 1.0}


def test_a_variable_that_is_only_read_need_not_be_kept(make_trainer, state_of):
    state_of(make_trainer(Reading))
