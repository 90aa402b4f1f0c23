import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.features.features import Features
from trainer.loop.batches import FeatureBatches
from trainer.loop.inner_loop import UNCOMPILED, InnerLoop, Span
from trainer.loop.metrics import Metrics
from trainer.loop.xla import Jit

EXAMPLES, BATCH = 10, 4
COMPILED_OR_NOT = pytest.mark.parametrize("jit", [Jit("on"), UNCOMPILED], ids=["on", "off"])


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


def run(*bounds: int, jit: Jit = UNCOMPILED):
    step, batches = Summing(), ten_numbers()
    runner, feed = InnerLoop(step, batches, Metrics({}), jit), batches.open(None)
    return [runner(feed, a, b) for a, b in itertools.pairwise(bounds)]


@COMPILED_OR_NOT
def test_a_span_brings_out_what_every_step_returned(jit):
    [span] = run(0, 3, jit=jit)
    np.testing.assert_array_equal(span.values["loss"], [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9])


@COMPILED_OR_NOT
def test_steps_of_a_span_follow_one_another(jit):
    [span] = run(0, 3, jit=jit)
    np.testing.assert_array_equal(span.values["total"], [6, 28, 45])


def test_cutting_into_spans_changes_nothing():
    [whole] = run(0, 3)
    parts = run(0, 1, 3)
    np.testing.assert_array_equal(
        np.concatenate([part.values["total"] for part in parts]), whole.values["total"]
    )


def test_a_later_pass_begins_with_the_first_batch():
    [span] = run(3, 4)
    np.testing.assert_array_equal(span.values["loss"], [0 + 1 + 2 + 3])


def test_a_span_tells_how_many_examples_it_saw():
    spans = run(0, 1, 3)
    assert [span.examples for span in spans] == [4, 6]


@COMPILED_OR_NOT
def test_the_step_is_traced_once_whatever_the_lengths_of_spans_and_the_pass(jit):
    step, batches = Summing(), ten_numbers()
    runner = InnerLoop(step, batches, Metrics({}), jit)
    for pass_number in range(3):
        feed = batches.open(pass_number)
        for first, last in [(0, 1), (1, 3)] if pass_number else [(0, 3)]:
            runner(feed, 3 * pass_number + first, 3 * pass_number + last)
    assert step.traces == 1


def test_one_compilation_serves_every_span():
    """XLA's compilations cannot be counted from Python; but each takes far longer than a span."""
    batches = ten_numbers()
    runner, feed = InnerLoop(Summing(), batches, Metrics({}), Jit("on")), batches.open(0)
    compiling = runner(feed, 0, 3).seconds
    others = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    assert np.median([runner(feed, a, b).seconds for a, b in others]) < compiling / 4


def test_a_step_that_makes_its_variables_as_it_is_traced_is_let_be():
    class Making:
        total = None

        def __call__(self, batch):
            if self.total is None:
                self.total = tf.Variable(0.0)
            return {"loss": self.total.assign_add(1.0)}

    batches = ten_numbers()
    span = InnerLoop(Making(), batches, Metrics({}))(batches.open(None), 0, 3)
    np.testing.assert_array_equal(span.values["loss"], [1, 2, 3])


def test_a_span_that_is_traced_again_says_for_which_argument():
    batches = ten_numbers()
    runner = InnerLoop(Summing(), batches, Metrics({}))
    runner(batches.open(None), 0, 1)
    with pytest.raises(RuntimeError, match=r"feed was int32 \(3, 4\) and is int64 \(3, 4\)"):
        runner(tf.cast(batches.open(None), tf.int64), 1, 2)


def test_the_means_of_what_steps_return_weigh_examples():
    batches, metrics = ten_numbers(), Metrics({})
    runner = InnerLoop(Summing(), batches, metrics)
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
        InnerLoop(my_step, batches, Metrics({}))(batches.open(None), 0, 1)


@COMPILED_OR_NOT
def test_keras_metrics_run_inside_a_span(jit):
    batches = ten_numbers()
    metrics = Metrics({"mean": keras.metrics.SparseCategoricalAccuracy()})

    def step(batch):
        inputs, labels = batch
        metrics.update(labels, tf.concat([1 + inputs, inputs], axis=1))
        return {"loss": tf.constant(0.0)}

    InnerLoop(step, batches, metrics, jit)(batches.open(None), 0, 3)
    assert metrics.result() == {"loss": 0.0, "mean": 1.0}


def test_a_span_of_no_steps_is_at_its_step():
    span = Span.of_no_steps(7)
    assert (span.first, span.last, span.steps) == (7, 7, 0)
    assert span.examples_per_second == 0
