"""The global norm of gradients."""

import pytest
import tensorflow as tf

from trainer.optimization.precision import global_norm, traced_for_xla


@pytest.fixture(params=[False, True], ids=["for TensorFlow", "for XLA"], autouse=True)
def traced(request):
    """Everything here holds however the norm is traced."""
    with traced_for_xla(request.param):
        yield


@pytest.mark.parametrize("shape", [[], [5], [4, 3], [3, 3, 2, 4]], ids=str)
def test_the_norm_is_that_of_all_gradients_as_one_vector(shape):
    gradients = [tf.random.stateless_normal(shape, [1, 2]), tf.ones([2])]
    expected = tf.linalg.global_norm(gradients)
    assert float(global_norm(gradients)) == pytest.approx(float(expected), rel=1e-6)


def test_a_variable_without_a_gradient_is_omitted():
    assert float(global_norm([None, tf.constant([3.0, 4.0])])) == 5.0


def test_repeated_rows_of_an_embedding_are_summed():
    rows = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([0, 0]), tf.constant([2, 1]))
    assert float(global_norm([rows])) == 3.0
