"""Networks for inference: they give what they gave, with fewer operations on the way."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras  # as in hub modules, its norms are one operation
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from trainer.extractors.freezing import fold_batch_norms, frozen

IMAGES = tf.random.stateless_uniform([3, 8, 8, 3], seed=[1, 2])


def traced(network):
    """The graph of a network from images to anything."""
    return tf.function(network).get_concrete_function(tf.TensorSpec([None, 8, 8, 3]))


def norm(**settings):
    """A batch norm that has seen something, so that it does not pass everything through."""
    return keras.layers.BatchNormalization(
        beta_initializer=keras.initializers.RandomNormal(0.0, 0.2, seed=1),
        gamma_initializer=keras.initializers.RandomNormal(1.0, 0.2, seed=2),
        moving_mean_initializer=keras.initializers.RandomNormal(0.0, 0.2, seed=3),
        moving_variance_initializer=keras.initializers.RandomUniform(0.5, 2.0, seed=4),
        **settings,
    )


def layers(*stack):
    return traced(keras.Sequential([keras.Input([8, 8, 3]), *stack]))


def convolution(**settings):
    return keras.layers.Conv2D(5, 3, use_bias=False, **settings)


def depthwise(**settings):
    return keras.layers.DepthwiseConv2D(3, use_bias=False, **settings)


def operations(network):
    """How many there are of each, in a frozen network."""
    return collections.Counter(node.op for node in network.graph.as_graph_def().node)


def assert_gives_the_same(network):
    for kept, expected in zip(
        tf.nest.flatten(frozen(network)(IMAGES)), tf.nest.flatten(network(IMAGES)), strict=True
    ):
        np.testing.assert_allclose(kept, expected, rtol=1e-4, atol=1e-5)


FOLDED = {
    "convolution": [convolution(), norm()],
    "depthwise": [depthwise(), norm()],
    "depthwise, two channels each": [depthwise(depth_multiplier=2), norm()],
    "without scale": [convolution(), norm(scale=False)],
    "without centre": [convolution(), norm(center=False)],
    "epsilon": [convolution(), norm(epsilon=0.5)],
    "two in a row": [convolution(), norm(), keras.layers.ReLU(), depthwise(), norm()],
}

KEPT = {
    "norm of the images": [norm(), convolution()],
    "norm behind an activation": [convolution(), keras.layers.ReLU(), norm()],
    "norm of a norm": [convolution(), norm(), keras.layers.ReLU(), norm()],
}


@pytest.mark.parametrize("stack", FOLDED.values(), ids=FOLDED)
def test_a_norm_behind_a_convolution_is_folded_into_it(stack):
    assert operations(frozen(layers(*stack)))["FusedBatchNormV3"] == 0


@pytest.mark.parametrize("stack", KEPT.values(), ids=KEPT)
def test_any_other_norm_stays(stack):
    assert operations(frozen(layers(*stack)))["FusedBatchNormV3"] == 1


@pytest.mark.parametrize("stack", [*FOLDED.values(), *KEPT.values()], ids=[*FOLDED, *KEPT])
def test_a_frozen_network_gives_what_it_gave(stack):
    assert_gives_the_same(layers(*stack))


def test_a_convolution_that_serves_others_too_keeps_its_weights():
    convolve, normalise = convolution(), norm()

    @tf.function
    def branching(images):
        maps = convolve(images)
        return normalise(maps), maps

    network = traced(branching)
    assert operations(frozen(network))["FusedBatchNormV3"] == 1
    assert_gives_the_same(network)


def test_a_kernel_that_two_convolutions_share_is_scaled_for_each():
    convolve, first, second = convolution(), norm(), norm(epsilon=0.5)

    @tf.function
    def sharing(images):
        return first(convolve(images)), second(convolve(1.0 - images))

    network = traced(sharing)
    assert operations(frozen(network))["FusedBatchNormV3"] == 0
    assert_gives_the_same(network)


def test_a_norm_that_is_training_stays():
    convolve, normalise = convolution(), norm()
    network = traced(lambda images: normalise(convolve(images), training=True))
    assert operations(frozen(network))["FusedBatchNormV3"] == 1


def test_a_norm_whose_moments_are_asked_for_stays():
    @tf.function
    def telling(images):
        maps = tf.nn.conv2d(images, tf.ones([3, 3, 3, 5]), 1, "SAME")
        ones = tf.ones([5])
        normed, mean, _ = tf.compat.v1.nn.fused_batch_norm(
            maps, ones, ones, ones, ones, is_training=False
        )
        return normed, tf.identity(mean) + 1.0

    network = traced(telling)
    assert operations(frozen(network))["FusedBatchNormV3"] == 1
    assert_gives_the_same(network)


def test_the_embedded_module_is_left_without_a_norm(embedded_module):
    module = tf.saved_model.load(str(embedded_module))
    constant = convert_variables_to_constants_v2(traced(module))
    graph = constant.graph.as_graph_def()
    fold_batch_norms(graph, [tensor.name for tensor in constant.outputs])
    assert not [node.name for node in graph.node if node.op == "FusedBatchNormV3"]


def test_a_network_that_cannot_be_frozen_stays_as_it_is():
    keys = tf.lookup.KeyValueTensorInitializer(["a"], [1.0])
    table = tf.lookup.StaticHashTable(keys, 0.0)
    network = traced(lambda images: images + table.lookup(tf.constant("a")))
    np.testing.assert_array_equal(frozen(network)(IMAGES), IMAGES + 1.0)
