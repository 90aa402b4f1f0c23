"""The optimizer's update, compiled by XLA within a step that is not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.optimization.compiled_updates import compiled_updates

STEPS = 3


class CallsPython(keras.optimizers.SGD):
    """An optimizer that XLA cannot compile."""

    def update_step(self, gradient, variable, learning_rate):
        gradient = tf.py_function(lambda g: g, [gradient], gradient.dtype)
        super().update_step(tf.ensure_shape(gradient, variable.shape), variable, learning_rate)


def new_variable() -> keras.Variable:
    return keras.Variable(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4))


def traced_update(optimizer):
    """A variable, and the traced function that takes a step of its optimizer."""
    variable = new_variable()
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient], [variable])

    with compiled_updates():
        step.get_concrete_function(tf.TensorSpec([3, 4]))
    return variable, step


def is_compiled(step) -> bool:
    [traced] = step._list_all_concrete_functions()
    functions = traced.graph.as_graph_def().library.function
    return any(function.attr["_XlaMustCompile"].b for function in functions)


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.1),
    "clipped": lambda: keras.optimizers.AdamW(0.1, weight_decay=0.1, global_clipnorm=0.5),
    "accumulating": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
    "averaging": lambda: keras.optimizers.SGD(0.1, use_ema=True),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_are_compiled_and_the_weights_are_those_of_keras(name):
    variable, step = traced_update(OPTIMIZERS[name]())
    reference, expected = OPTIMIZERS[name](), new_variable()
    reference.build([expected])
    for number in range(STEPS):
        gradient = tf.random.stateless_normal([3, 4], [0, number])
        step(gradient)
        reference.apply([gradient], [expected])
    assert is_compiled(step)
    np.testing.assert_allclose(variable.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_an_optimizer_that_xla_cannot_compile_runs_uncompiled_and_one_line_says_so(caplog):
    with caplog.at_level("INFO", "trainer"):
        variable, step = traced_update(CallsPython(1.0))
    before = variable.numpy()
    step(tf.ones([3, 4]))
    assert not is_compiled(step)
    np.testing.assert_array_equal(variable.numpy(), before - 1)
    [line] = caplog.messages
    assert line.startswith("the optimizer runs uncompiled, more slowly: ")


def test_afterwards_keras_updates_as_it_does_by_itself():
    before = keras.optimizers.Optimizer.apply
    traced_update(keras.optimizers.SGD(0.1))
    assert keras.optimizers.Optimizer.apply is before
