"""Inference graphs: equal outputs with fewer operations."""

import collections

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras  # as in hub modules, its norms are one operation
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from trainer.extractors.inference_graph import fold_batch_norms, optimize_for_inference

IMAGES = tf.random.stateless_uniform([3, 8, 8, 3], seed=[1, 2])


def traced(network):
    """The concrete function of a network of images."""
    return tf.function(network).get_concrete_function(tf.TensorSpec([None, 8, 8, 3]))


def norm(**settings):
    """A batch norm with weights of its own, so that it is not an identity."""
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
    """How many operations of each type there are in a network."""
    return collections.Counter(node.op for node in network.graph.as_graph_def().node)


def assert_equal_outputs(network):
    for optimized, expected in zip(
        tf.nest.flatten(optimize_for_inference(network)(IMAGES)),
        tf.nest.flatten(network(IMAGES)),
        strict=True,
    ):
        np.testing.assert_allclose(optimized, expected, rtol=1e-4, atol=1e-5)


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
    "norm after an activation": [convolution(), keras.layers.ReLU(), norm()],
    "norm of a norm": [convolution(), norm(), keras.layers.ReLU(), norm()],
}


@pytest.mark.parametrize("stack", FOLDED.values(), ids=FOLDED)
def test_a_batch_norm_after_a_convolution_is_folded_into_it(stack):
    assert operations(optimize_for_inference(layers(*stack)))["FusedBatchNormV3"] == 0


@pytest.mark.parametrize("stack", KEPT.values(), ids=KEPT)
def test_any_other_batch_norm_stays(stack):
    assert operations(optimize_for_inference(layers(*stack)))["FusedBatchNormV3"] == 1


@pytest.mark.parametrize("stack", [*FOLDED.values(), *KEPT.values()], ids=[*FOLDED, *KEPT])
def test_an_optimized_network_has_equal_outputs(stack):
    assert_equal_outputs(layers(*stack))


def test_a_convolution_with_another_consumer_keeps_its_weights():
    convolve, normalise = convolution(), norm()

    @tf.function
    def branching(images):
        maps = convolve(images)
        return normalise(maps), maps

    network = traced(branching)
    assert operations(optimize_for_inference(network))["FusedBatchNormV3"] == 1
    assert_equal_outputs(network)


def test_a_kernel_that_two_convolutions_share_is_scaled_for_each():
    convolve, first, second = convolution(), norm(), norm(epsilon=0.5)

    @tf.function
    def sharing(images):
        return first(convolve(images)), second(convolve(1.0 - images))

    network = traced(sharing)
    assert operations(optimize_for_inference(network))["FusedBatchNormV3"] == 0
    assert_equal_outputs(network)


def test_a_batch_norm_in_training_mode_stays():
    convolve, normalise = convolution(), norm()
    network = traced(lambda images: normalise(convolve(images), training=True))
    assert operations(optimize_for_inference(network))["FusedBatchNormV3"] == 1


def test_a_batch_norm_whose_moments_are_used_stays():
    @tf.function
    def with_moments(images):
        maps = tf.nn.conv2d(images, tf.ones([3, 3, 3, 5]), 1, "SAME")
        ones = tf.ones([5])
        normed, mean, _ = tf.compat.v1.nn.fused_batch_norm(
            maps, ones, ones, ones, ones, is_training=False
        )
        return normed, tf.identity(mean) + 1.0

    network = traced(with_moments)
    assert operations(optimize_for_inference(network))["FusedBatchNormV3"] == 1
    assert_equal_outputs(network)


def test_every_batch_norm_of_the_embedded_module_is_folded(embedded_module):
    module = tf.saved_model.load(str(embedded_module))
    constant = convert_variables_to_constants_v2(traced(module))
    graph = constant.graph.as_graph_def()
    fold_batch_norms(graph, [tensor.name for tensor in constant.outputs])
    assert not [node.name for node in graph.node if node.op == "FusedBatchNormV3"]


def test_a_network_with_a_lookup_table_stays_as_it_is():
    keys = tf.lookup.KeyValueTensorInitializer(["a"], [1.0])
    table = tf.lookup.StaticHashTable(keys, 0.0)
    network = traced(lambda images: images + table.lookup(tf.constant("a")))
    np.testing.assert_array_equal(optimize_for_inference(network)(IMAGES), IMAGES + 1.0)
