"""What a traced step writes and draws, found in its graph."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import Trainer
from trainer.loop.graph_effects import (
    python_random_draws,
    stateful_random_functions,
    written_variables,
)


def traced(function):
    return tf.function(function).get_concrete_function(tf.TensorSpec([], tf.float32))


def test_a_variable_that_is_only_read_is_not_written():
    variable = tf.Variable(1.0)
    assert written_variables(traced(lambda x: x + variable)) == []


def assigns(variable, x):
    return variable.assign(x)


def assigns_in_a_loop(variable, x):
    while x > 0:
        variable.assign_add(x)
        x -= 1
    return x


def assigns_in_a_branch(variable, x):
    if x > 0:
        variable.assign_sub(x)
    return x


def assigns_in_a_function(variable, x):
    return tf.function(lambda: variable.assign(x))()


@pytest.mark.parametrize(
    "write", [assigns, assigns_in_a_loop, assigns_in_a_branch, assigns_in_a_function]
)
@pytest.mark.parametrize("make", [tf.Variable, keras.Variable])
def test_a_variable_is_written_wherever_it_is(write, make):
    variable, other = make(1.0), make(2.0)
    [written] = written_variables(traced(lambda x: write(variable, x) + other))
    assert written is (variable.value if make is keras.Variable else variable)


def test_the_state_of_a_generator_is_written():
    generator = tf.random.Generator.from_seed(1)
    assert len(written_variables(traced(lambda x: x + generator.normal([])))) == 1


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda: tf.random.uniform([2]), "tf.random.uniform"),
        (lambda: tf.random.normal([2]), "tf.random.normal"),
        (lambda: tf.random.shuffle([1, 2]), "tf.random.shuffle"),
    ],
)
def test_stateful_random_functions_are_named(draw, name):
    def within_a_loop(x):
        while x > 0:
            draw()
            x -= 1
        return x

    assert stateful_random_functions(traced(within_a_loop)) == [name]


def test_stateless_ones_are_not():
    draw = traced(lambda x: x * tf.random.stateless_uniform([], [1, 2]))
    assert stateful_random_functions(draw) == []


@pytest.mark.parametrize(
    ("draw", "name"), [(random.random, "random"), (np.random.rand, "numpy.random")]
)
def test_a_draw_from_python_is_seen(draw, name):
    with python_random_draws() as drawn:
        draw()
    assert drawn == [name]


def test_without_a_draw_none_is_seen():
    with python_random_draws() as drawn:
        np.random.default_rng(0).random()
    assert drawn == []


# In a training.


class DrawsInPython(Trainer):
    def train_step(self, batch):
        inputs, labels, sample_weight = batch
        return super().train_step((inputs * random.random(), labels, sample_weight))


class DrawsInTheGraph(Trainer):
    def train_step(self, batch):
        inputs, labels, sample_weight = batch
        noise = tf.random.normal(tf.shape(inputs))
        return super().train_step((inputs + noise, labels, sample_weight))


@pytest.mark.parametrize(
    ("trainer_class", "beginning"),
    [
        (DrawsInPython, "DrawsInPython.train_step draws from random, which happens once, when"),
        (DrawsInTheGraph, "DrawsInTheGraph.train_step calls tf.random.normal, whose numbers a"),
    ],
)
def test_a_step_that_draws_unrepeatable_numbers_is_told_once(
    make_trainer, caplog, trainer_class, beginning
):
    make_trainer(trainer_class).fit()
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage().startswith(beginning)


def test_of_our_own_steps_nothing_is_told(make_trainer, caplog):
    make_trainer().fit()
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
