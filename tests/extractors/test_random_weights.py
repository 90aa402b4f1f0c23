"""A module's weights drawn anew: each by the part that it plays."""

import keras
import numpy as np
import pytest

from trainer.extractors.random_weights import randomise


def variable(name, shape):
    return keras.Variable(np.full(shape, 7.0, "float32"), name=name)


def drawn(name, shape, seed=0):
    found = variable(name, shape)
    randomise([found], seed)
    return found.numpy()


@pytest.mark.parametrize("name", ["bn1_gamma", "bn1_weight", "moving_variance", "running_var"])
def test_what_a_norm_scales_by_is_one(name):
    assert (drawn(name, [4]) == 1).all()


@pytest.mark.parametrize("name", ["bias", "bn1_beta", "moving_mean", "running_mean", "bn1_bias"])
def test_what_is_added_is_zero(name):
    assert (drawn(name, [4]) == 0).all()


@pytest.mark.parametrize(
    ("name", "shape", "inputs"),
    [("conv_weight", [3, 3, 64, 64], 576), ("depthwise_conv_weight", [3, 3, 512, 1], 9)],
)
def test_a_kernel_keeps_the_variance_of_what_passes_through_it(name, shape, inputs):
    assert drawn(name, shape).std() == pytest.approx(np.sqrt(2 / inputs), rel=0.1)


def test_weights_follow_from_the_seed():
    assert (drawn("kernel", [3, 3], seed=1) == drawn("kernel", [3, 3], seed=1)).all()
    assert (drawn("kernel", [3, 3], seed=1) != drawn("kernel", [3, 3], seed=2)).any()


def test_two_kernels_of_one_shape_differ():
    first, second = variable("a", [3, 3]), variable("b", [3, 3])
    randomise([first, second], seed=0)
    assert (first.numpy() != second.numpy()).any()
