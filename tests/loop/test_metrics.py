import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.loop.metrics import Metrics, example_weights

SURE = tf.constant([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])


def accuracy() -> Metrics:
    return Metrics({"accuracy": keras.metrics.SparseCategoricalAccuracy()})


def test_each_example_counts_once():
    metrics = accuracy()
    metrics.update(tf.constant([0, 1, 1]), SURE)
    assert metrics.result() == {"accuracy": pytest.approx(2 / 3)}


def test_padding_rows_do_not_count():
    metrics = accuracy()
    metrics.update(tf.constant([0, 1, -1]), SURE)
    assert metrics.result() == {"accuracy": 1.0}


def test_of_shares_the_greatest_is_the_label_and_rows_of_zeros_do_not_count():
    metrics = accuracy()
    metrics.update(tf.constant([[0.7, 0.3], [0.9, 0.1], [0.0, 0.0]]), SURE)
    assert metrics.result() == {"accuracy": 0.5}


def test_means_weigh_a_step_by_its_examples():
    metrics = Metrics({})
    metrics.track(["loss"])
    metrics.average({"loss": tf.constant(1.0)}, labels=tf.constant([0, 1, 1]))
    metrics.average({"loss": tf.constant(5.0)}, labels=tf.constant([0, -1, -1]))
    assert metrics.result() == {"loss": pytest.approx(2.0)}


def test_metrics_that_no_step_updates_are_not_reported():
    metrics = accuracy()
    metrics.track(["loss"])
    metrics.average({"loss": tf.constant(1.0)}, labels=tf.constant([0]))
    assert list(metrics.result()) == ["loss"]


def test_a_reset_begins_anew():
    metrics = accuracy()
    metrics.update(tf.constant([1, 0, 1]), SURE)
    metrics.reset()
    metrics.update(tf.constant([0, 1, 0]), SURE)
    assert metrics.result() == {"accuracy": 1.0}


def test_variables_hold_all_that_was_counted():
    metrics, other = accuracy(), accuracy()
    metrics.update(tf.constant([0, 0, 0]), SURE)
    other.update(tf.constant([0, -1, -1]), SURE)
    for variable, kept in zip(other.variables, metrics.variables, strict=True):
        variable.assign(kept)
    assert other.result() == metrics.result()


def test_shares_of_classes_weigh_one_and_rows_of_zeros_nothing():
    shares = tf.constant([[0.3, 0.7], [1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(example_weights(shares), [1, 1, 0])
