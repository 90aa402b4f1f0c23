"""Models of keras.applications as extractors; with small images and random weights, to be fast."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import UserError
from trainer.extractors.keras_models import (
    freeze_layers_before,
    keras_image_size,
    load_keras_network,
)
from trainer.extractors.names import parse_extractor

MOBILE = parse_extractor("keras:MobileNetV2")
IMAGES = tf.random.stateless_uniform([2, 32, 32, 3], seed=[1, 2])


@pytest.fixture(scope="module")
def mobile():
    keras.utils.set_random_seed(0)
    return load_keras_network(MOBILE, 32, "none")


@pytest.fixture(scope="module")
def weights_file(mobile, tmp_path_factory):
    """A file of the model's weights, as Keras saves them."""
    file = tmp_path_factory.mktemp("weights") / "mobile.weights.h5"
    mobile.layers[-1].save_weights(file)
    return file


def test_the_features_are_the_last_feature_map(mobile):
    assert mobile(IMAGES).shape == (2, 1, 1, 1280)


def test_images_are_preprocessed_as_the_model_needs_it(mobile):
    inner = mobile.layers[-1]
    prepared = keras.applications.mobilenet_v2.preprocess_input(IMAGES.numpy() * 255)
    np.testing.assert_allclose(mobile(IMAGES), inner(prepared), rtol=1e-4, atol=1e-5)


def test_an_endpoint_is_the_activation_of_a_layer():
    name = parse_extractor("keras:MobileNetV2@block_3_expand_relu")
    assert load_keras_network(name, 32, "none")(IMAGES).shape == (2, 8, 8, 144)


def test_weights_come_from_a_file(mobile, weights_file):
    keras.utils.set_random_seed(1)
    again = load_keras_network(MOBILE, 32, str(weights_file))
    np.testing.assert_allclose(again(IMAGES), mobile(IMAGES), rtol=1e-4, atol=1e-5)


def test_random_weights_follow_from_the_seed(mobile):
    keras.utils.set_random_seed(0)
    again = load_keras_network(MOBILE, 32, "none")
    np.testing.assert_array_equal(again(IMAGES), mobile(IMAGES))


def test_layers_before_the_first_to_unfreeze_are_not_trained():
    network = load_keras_network(MOBILE, 32, "none")
    freeze_layers_before(network, MOBILE, "Conv_1")
    learning = {weight.path.split("/")[0] for weight in network.trainable_weights}
    assert learning == {"Conv_1", "Conv_1_bn"}


@pytest.mark.parametrize(
    ("model", "size"), [("InceptionV3", 299), ("MobileNetV2", 224), ("EfficientNetB3", 300)]
)
def test_the_image_size_is_that_of_the_model(model, size):
    assert keras_image_size(parse_extractor(f"keras:{model}")) == size


# Mistakes.


def test_a_mistyped_model_is_answered_with_the_nearest():
    with pytest.raises(UserError, match=r"^--extractor keras:Inceptionv3: .*keras:InceptionV3\?$"):
        load_keras_network(parse_extractor("keras:Inceptionv3"), 75, "none")


def test_an_unknown_model_is_answered_with_all_models():
    with pytest.raises(UserError, match=r"there are .*ConvNeXtBase, .*Xception"):
        load_keras_network(parse_extractor("keras:"), 75, "none")


def test_a_mistyped_endpoint_is_answered_with_the_nearest():
    name = parse_extractor("keras:MobileNetV2@Conv1_rel")
    with pytest.raises(
        UserError, match=r"^--extractor \S+: .*'Conv1_rel'; did you mean Conv1_relu"
    ):
        load_keras_network(name, 32, "none")


def test_an_empty_endpoint_is_answered_with_all_layers():
    with pytest.raises(UserError, match=r"needs an endpoint; there are .*Conv1, .*out_relu"):
        load_keras_network(parse_extractor("keras:MobileNetV2@"), 32, "none")


def test_an_unknown_layer_to_unfreeze_is_refused(mobile):
    with pytest.raises(UserError, match=r"^--unfreeze-from: .*no layer 'Conv_2'; did you mean"):
        freeze_layers_before(mobile, MOBILE, "Conv_2")


def test_a_missing_file_of_weights_is_refused():
    with pytest.raises(UserError, match=r"^--weights mine\.h5: there is no such file"):
        load_keras_network(MOBILE, 32, "mine.h5")


def test_a_file_of_another_models_weights_is_refused(tmp_path):
    file = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]).save_weights(file)
    with pytest.raises(
        UserError, match=rf"^--weights {file}: not the weights of keras:MobileNetV2 \("
    ):
        load_keras_network(MOBILE, 32, str(file))


def test_images_too_small_for_a_model_are_refused():
    with pytest.raises(UserError, match=r"^--extractor keras:InceptionV3: .*too small .*--image-s"):
        load_keras_network(parse_extractor("keras:InceptionV3"), 32, "none")


def test_a_failed_download_of_weights_is_answered_with_where_to_put_them(
    offline, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(
        UserError, match=r"^--weights imagenet: .*models/mobilenet_v2_weights\S+\.h5"
    ):
        load_keras_network(MOBILE, 96, "imagenet")
