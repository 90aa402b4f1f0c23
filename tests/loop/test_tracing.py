import pytest
import tensorflow as tf

from trainer.loop.tracing import TracedOnce


def guarded():
    guard = TracedOnce("a sum")

    @tf.function
    def add(values, start):
        guard(values=values, start=start)
        return tf.reduce_sum(values) + tf.cast(start, values.dtype)

    return add


def test_one_trace_serves_many_calls():
    add = guarded()
    assert [int(add(tf.constant([1, 2]), tf.constant(n))) for n in range(3)] == [3, 4, 5]


def test_a_second_trace_is_an_error_that_names_the_argument():
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


def test_functions_that_run_eagerly_are_let_be():
    add = guarded()
    tf.config.run_functions_eagerly(True)
    try:
        assert [int(add(tf.constant([1, 2]), n)) for n in range(3)] == [3, 4, 5]
    finally:
        tf.config.run_functions_eagerly(False)
