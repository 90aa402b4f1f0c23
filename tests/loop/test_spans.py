import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.features import Features
from trainer.loop.batches import FeatureBatches
from trainer.loop.metrics import Metrics
from trainer.loop.spans import SpanRunner

EXAMPLES, BATCH = 10, 4


def ten_numbers() -> FeatureBatches:
    vectors = np.arange(EXAMPLES, dtype=np.float32)[:, None]
    return FeatureBatches(Features(vectors, np.zeros(EXAMPLES, np.int32)), BATCH, seed=0)


class Summing:
    """A step that sums its inputs and counts how often it is traced."""

    def __init__(self) -> None:
        self.traces = 0
        self.total = tf.Variable(0.0)

    def __call__(self, batch):
        self.traces += 1
        inputs, labels = batch
        loss = tf.reduce_sum(tf.where(labels[:, None] >= 0, inputs, 0.0))
        self.total.assign_add(loss)
        return {"loss": loss, "total": self.total.read_value()}


def run(*bounds: int):
    step, batches = Summing(), ten_numbers()
    runner, feed = SpanRunner(step, batches, Metrics({})), batches.open(None)
    return step, [runner(feed, a, b) for a, b in itertools.pairwise(bounds)]


def test_a_span_brings_out_what_every_step_returned():
    _, [span] = run(0, 3)
    np.testing.assert_array_equal(span.values["loss"], [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9])


def test_steps_of_a_span_follow_one_another():
    _, [span] = run(0, 3)
    np.testing.assert_array_equal(span.values["total"], [6, 28, 45])


def test_cutting_into_spans_changes_nothing():
    _, [whole] = run(0, 3)
    _, parts = run(0, 1, 3)
    np.testing.assert_array_equal(
        np.concatenate([part.values["total"] for part in parts]), whole.values["total"]
    )


def test_a_later_epoch_begins_with_its_first_batch():
    _, [span] = run(3, 4)
    np.testing.assert_array_equal(span.values["loss"], [0 + 1 + 2 + 3])


def test_a_span_tells_how_many_examples_it_saw():
    _, spans = run(0, 1, 3)
    assert [span.examples for span in spans] == [4, 6]


def test_the_step_is_traced_once_whatever_the_lengths_of_spans():
    step, _ = run(0, 1, 3)
    assert step.traces == 1


def test_the_means_of_what_steps_return_weigh_examples():
    batches, metrics = ten_numbers(), Metrics({})
    runner = SpanRunner(Summing(), batches, metrics)
    runner(batches.open(None), 0, 3)
    assert metrics.result()["loss"] == pytest.approx((6 * 4 + 22 * 4 + 17 * 2) / 10)


@pytest.mark.parametrize(
    "returned",
    [None, tf.zeros([]), {"accuracy": tf.zeros([])}, {"loss": tf.zeros([2])}],
    ids=["nothing", "a bare loss", "no loss", "a vector"],
)
def test_a_step_that_returns_no_dict_of_scalars_with_a_loss_is_told_so(returned):
    def my_step(batch):
        return returned

    batches = ten_numbers()
    with pytest.raises(TypeError, match=r"my_step must return a dict of scalars"):
        SpanRunner(my_step, batches, Metrics({}))(batches.open(None), 0, 1)


def test_keras_metrics_run_inside_a_span():
    batches = ten_numbers()
    metrics = Metrics({"mean": keras.metrics.SparseCategoricalAccuracy()})

    def step(batch):
        inputs, labels = batch
        metrics.update(labels, tf.concat([1 + inputs, inputs], axis=1))
        return {"loss": tf.constant(0.0)}

    SpanRunner(step, batches, metrics)(batches.open(None), 0, 3)
    assert metrics.result() == {"loss": 0.0, "mean": 1.0}
