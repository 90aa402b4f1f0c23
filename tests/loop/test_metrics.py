import keras
import pytest
import tensorflow as tf

from trainer.loop.metrics import Metrics

PREDICTIONS = tf.constant([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
ALL = tf.ones([3])
FIRST = tf.constant([1.0, 0.0, 0.0])


def accuracy() -> Metrics:
    return Metrics({"accuracy": keras.metrics.SparseCategoricalAccuracy()})


def test_each_example_counts_once():
    metrics = accuracy()
    metrics.update_state(tf.constant([0, 1, 1]), PREDICTIONS, ALL)
    assert metrics.result() == {"accuracy": pytest.approx(2 / 3)}


def test_rows_of_weight_0_do_not_count():
    metrics = accuracy()
    metrics.update_state(tf.constant([0, 1, 1]), PREDICTIONS, tf.constant([1.0, 1.0, 0.0]))
    assert metrics.result() == {"accuracy": 1.0}


def test_means_weight_a_step_by_its_examples():
    metrics = Metrics({})
    metrics.track(["loss"])
    metrics.update_means({"loss": tf.constant(1.0)}, ALL)
    metrics.update_means({"loss": tf.constant(5.0)}, FIRST)
    assert metrics.result() == {"loss": pytest.approx(2.0)}


def test_whether_a_step_has_updated_them_is_recorded():
    metrics = accuracy()
    assert not metrics.is_updated
    metrics.update_state(tf.constant([0, 1, 1]), PREDICTIONS, ALL)
    assert metrics.is_updated


def test_without_metrics_there_is_nothing_to_update():
    assert Metrics({}).is_updated


def test_a_reset_begins_anew():
    metrics = accuracy()
    metrics.update_state(tf.constant([1, 0, 1]), PREDICTIONS, ALL)
    metrics.reset_state()
    metrics.update_state(tf.constant([0, 1, 0]), PREDICTIONS, ALL)
    assert metrics.result() == {"accuracy": 1.0}


def test_variables_hold_everything_that_was_counted():
    metrics, other = accuracy(), accuracy()
    metrics.update_state(tf.constant([0, 0, 0]), PREDICTIONS, ALL)
    other.update_state(tf.constant([0, 0, 0]), PREDICTIONS, FIRST)
    for variable, kept in zip(other.variables, metrics.variables, strict=True):
        variable.assign(kept)
    assert other.result() == metrics.result()
