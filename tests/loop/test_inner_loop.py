import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.features.features import Features
from trainer.loop.array_batches import FeatureBatches
from trainer.loop.inner_loop import UNCOMPILED, InnerLoop, TracedOnce
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

    def __call__(self, batch, number, indices):
        self.traces += 1
        inputs, _, sample_weight = batch
        loss = tf.reduce_sum(inputs * sample_weight[:, None])
        self.total.assign_add(loss)
        return {"loss": loss, "total": self.total.read_value()}


def run(*bounds: int, jit: Jit = UNCOMPILED):
    step, batches = Summing(), ten_numbers()
    loop, iterator = InnerLoop(step, batches, Metrics({}), jit), batches.make_iterator(None)
    return [loop(iterator, a, b) for a, b in itertools.pairwise(bounds)]


@COMPILED_OR_NOT
def test_a_call_returns_what_every_step_returned(jit):
    [output] = run(0, 3, jit=jit)
    np.testing.assert_array_equal(output.values["loss"], [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9])


@COMPILED_OR_NOT
def test_the_steps_of_a_call_follow_one_another(jit):
    [output] = run(0, 3, jit=jit)
    np.testing.assert_array_equal(output.values["total"], [6, 28, 45])


def test_several_calls_return_what_one_does():
    [whole] = run(0, 3)
    parts = run(0, 1, 3)
    np.testing.assert_array_equal(
        np.concatenate([part.values["total"] for part in parts]), whole.values["total"]
    )


def test_a_later_data_epoch_begins_with_the_first_batch():
    [output] = run(3, 4)
    np.testing.assert_array_equal(output.values["loss"], [0 + 1 + 2 + 3])


def test_a_call_counts_its_examples_without_the_rows_that_fill_up():
    outputs = run(0, 1, 3)
    assert [output.examples for output in outputs] == [4, 6]


@COMPILED_OR_NOT
def test_the_step_is_traced_once_for_calls_of_any_length_and_all_data_epochs(jit):
    step, batches = Summing(), ten_numbers()
    loop = InnerLoop(step, batches, Metrics({}), jit)
    for epoch in range(3):
        iterator = batches.make_iterator(epoch)
        for first, last in [(0, 1), (1, 3)] if epoch else [(0, 3)]:
            loop(iterator, 3 * epoch + first, 3 * epoch + last)
    assert step.traces == 1


def test_one_compilation_serves_every_call():
    """XLA's compilations cannot be counted from Python; but each takes far longer than a call."""
    batches = ten_numbers()
    loop = InnerLoop(Summing(), batches, Metrics({}), Jit("on"))
    iterator = batches.make_iterator(0)
    compiling = loop(iterator, 0, 3).seconds
    others = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    assert np.median([loop(iterator, a, b).seconds for a, b in others]) < compiling / 4


def test_a_step_may_create_variables_while_it_is_traced():
    class Making:
        total = None

        def __call__(self, batch, number, indices):
            if self.total is None:
                self.total = tf.Variable(0.0)
            return {"loss": self.total.assign_add(1.0)}

    batches = ten_numbers()
    output = InnerLoop(Making(), batches, Metrics({}))(batches.make_iterator(None), 0, 3)
    np.testing.assert_array_equal(output.values["loss"], [1, 2, 3])


def test_a_second_trace_is_an_error_that_names_the_argument():
    batches = ten_numbers()
    loop, iterator = InnerLoop(Summing(), batches, Metrics({})), batches.make_iterator(None)
    loop(iterator, 0, 1)
    with pytest.raises(RuntimeError, match=r"iterator was int32 \(3, 4\) and is int64 \(3, 4\)"):
        loop(tf.cast(iterator, tf.int64), 1, 2)


def test_the_means_of_what_steps_return_are_weighted_by_their_examples():
    batches, metrics = ten_numbers(), Metrics({})
    InnerLoop(Summing(), batches, metrics)(batches.make_iterator(None), 0, 3)
    assert metrics.result()["loss"] == pytest.approx((6 * 4 + 22 * 4 + 17 * 2) / 10)


@pytest.mark.parametrize(
    "returned",
    [None, tf.zeros([]), {"accuracy": tf.zeros([])}, {"loss": tf.zeros([2])}],
    ids=["nothing", "a bare loss", "no loss", "a vector"],
)
def test_a_step_must_return_a_dict_of_scalars_with_a_loss(returned):
    def my_step(batch, number, indices):
        return returned

    batches = ten_numbers()
    with pytest.raises(TypeError, match=r"my_step must return a dict of scalars"):
        InnerLoop(my_step, batches, Metrics({}))(batches.make_iterator(None), 0, 1)


@COMPILED_OR_NOT
def test_keras_metrics_are_updated_in_the_loop(jit):
    batches = ten_numbers()
    metrics = Metrics({"mean": keras.metrics.SparseCategoricalAccuracy()})

    def step(batch, number, indices):
        inputs, labels, sample_weight = batch
        metrics.update_state(labels, tf.concat([1 + inputs, inputs], axis=1), sample_weight)
        return {"loss": tf.constant(0.0)}

    InnerLoop(step, batches, metrics, jit)(batches.make_iterator(None), 0, 3)
    assert metrics.result() == {"loss": 0.0, "mean": 1.0}


# TracedOnce.


def guarded():
    guard = TracedOnce("a sum")

    @tf.function
    def add(values, start):
        guard(values=values, start=start)
        return tf.reduce_sum(values) + tf.cast(start, values.dtype)

    return add


def test_one_trace_is_enough_for_many_calls():
    add = guarded()
    assert [int(add(tf.constant([1, 2]), tf.constant(n))) for n in range(3)] == [3, 4, 5]


def test_a_tensor_of_another_shape_is_named():
    add = guarded()
    add(tf.constant([1, 2]), tf.constant(0))
    with pytest.raises(
        RuntimeError, match=r"a sum .*: values was int32 \(2,\) and is int32 \(3,\)"
    ):
        add(tf.constant([1, 2, 3]), tf.constant(0))


def test_a_python_number_in_place_of_a_tensor_is_named_by_its_value():
    add = guarded()
    add(tf.constant([1, 2]), 7)
    with pytest.raises(RuntimeError, match=r"start was 7 and is 8"):
        add(tf.constant([1, 2]), 8)


def test_functions_may_run_eagerly():
    add = guarded()
    tf.config.run_functions_eagerly(True)
    try:
        assert [int(add(tf.constant([1, 2]), n)) for n in range(3)] == [3, 4, 5]
    finally:
        tf.config.run_functions_eagerly(False)
