"""Random weights of hub modules: each drawn by its role."""

import keras
import numpy as np
import pytest

from trainer.extractors.hub_modules import randomise_weights


def variable(name, shape):
    return keras.Variable(np.full(shape, 7.0, "float32"), name=name)


def drawn(name, shape, seed=0):
    found = variable(name, shape)
    randomise_weights([found], seed)
    return found.numpy()


@pytest.mark.parametrize("name", ["bn1_gamma", "bn1_weight", "moving_variance", "running_var"])
def test_scales_and_variances_of_norms_are_one(name):
    assert (drawn(name, [4]) == 1).all()


@pytest.mark.parametrize("name", ["bias", "bn1_beta", "moving_mean", "running_mean", "bn1_bias"])
def test_biases_and_means_are_zero(name):
    assert (drawn(name, [4]) == 0).all()


@pytest.mark.parametrize(
    ("name", "shape", "inputs"),
    [("conv_weight", [3, 3, 64, 64], 576), ("depthwise_conv_weight", [3, 3, 512, 1], 9)],
)
def test_a_kernel_preserves_the_variance_of_its_input(name, shape, inputs):
    assert drawn(name, shape).std() == pytest.approx(np.sqrt(2 / inputs), rel=0.1)


def test_weights_follow_from_the_seed():
    assert (drawn("kernel", [3, 3], seed=1) == drawn("kernel", [3, 3], seed=1)).all()
    assert (drawn("kernel", [3, 3], seed=1) != drawn("kernel", [3, 3], seed=2)).any()


def test_two_kernels_of_equal_shape_differ():
    first, second = variable("a", [3, 3]), variable("b", [3, 3])
    randomise_weights([first, second], seed=0)
    assert (first.numpy() != second.numpy()).any()
