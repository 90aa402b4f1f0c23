import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.config.transfer import TransferOptions
from trainer.extractors.inner_maps import grad_cam, inner_maps
from trainer.extractors.loading import load_network


@pytest.fixture(scope="module")
def images():
    return tf.random.stateless_uniform([2, 16, 16, 3], [1, 2])


@pytest.fixture(scope="module")
def convolutions():
    """A net whose second channel alone counts, and that where the image is red."""
    model = keras.Sequential(
        [
            keras.layers.Conv2D(2, 1, name="first"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, use_bias=False),
        ]
    )
    model.build([None, 16, 16, 3])
    kernel = np.zeros([1, 1, 3, 2], np.float32)
    kernel[0, 0, 0, 1] = 1
    model.layers[0].kernel.assign(kernel)
    model.layers[2].kernel.assign([[0, 0], [1, 0]])
    return model


@pytest.fixture(scope="module")
def embedded():
    return load_network(TransferOptions(extractor="efficientnet_lite0"))


def test_layers_that_give_maps_are_there_by_their_names(convolutions, images):
    maps = inner_maps([convolutions], images)
    assert {name: tuple(found.shape) for name, found in maps.items()} == {"first": (2, 16, 16, 2)}


def test_a_model_of_keras_shows_the_layers_within_it(images):
    inputs = keras.Input([16, 16, 3])
    inner = keras.layers.Conv2D(4, 3, name="inner")(inputs)
    outer = keras.layers.Conv2D(2, 3, name="outer")(inner)
    model = keras.Model(inputs, keras.layers.Flatten()(outer), name="functional_net")
    assert list(inner_maps([model], images)) == ["inner", "outer"]


def test_a_hub_module_shows_its_endpoints_from_the_largest_on(embedded):
    maps = inner_maps([embedded.layer], tf.zeros([1, 64, 64, 3]))
    heights = [found.shape[1] for found in maps.values()]
    assert {"stem", "block_0", "block_15", "top_conv"} <= set(maps)
    assert heights == sorted(heights, reverse=True)


def test_a_module_without_endpoints_shows_nothing(vector_module):
    network = load_network(TransferOptions(extractor=str(vector_module), image_size=8))
    assert inner_maps([network.layer], tf.zeros([1, 8, 8, 3])) == {}


def test_grad_cam_is_where_the_image_speaks_for_the_class(convolutions):
    image = np.zeros([1, 16, 16, 3], np.float32)
    image[0, 4:8, 8:12, 0] = 0.5  # red, and so the first class
    image[0, 12:, :4, 1] = 1  # green does not count
    heat = grad_cam([convolutions], tf.constant(image), lambda logits: logits[:, 0])
    expected = np.zeros([16, 16])
    expected[4:8, 8:12] = 1
    np.testing.assert_allclose(heat[0], expected, atol=1e-5)


def test_grad_cam_of_a_module_takes_the_maps_whose_average_its_features_are(embedded):
    images = tf.random.stateless_uniform([2, 64, 64, 3], [3, 4])
    head = keras.Sequential([keras.layers.Dense(3)])
    heat = grad_cam([embedded.layer, head], images, lambda logits: logits[:, 1])
    maps = inner_maps([embedded.layer], images)["top_conv"]
    weights = head.layers[0].kernel[:, 1]
    expected = tf.nn.relu(tf.tensordot(maps, weights, 1))
    expected = tf.math.divide_no_nan(expected, tf.reduce_max(expected, [1, 2], keepdims=True))
    np.testing.assert_allclose(heat, expected, atol=1e-4)


def test_a_network_of_vectors_alone_has_no_grad_cam(images):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    assert grad_cam([model], images, lambda logits: logits[:, 0]) is None
