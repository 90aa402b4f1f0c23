"""Presets of KerasHub as extractors, of folders with random weights.

They run where KerasHub is installed, which the extra `test` does not bring: pip install
'tf-trainer[kerashub]'.
"""

import sys

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.extractors.loading import Extractor, extractor_identity, load_network

SIDE = 32


@pytest.fixture(scope="module")
def keras_hub():
    return pytest.importorskip("keras_hub", reason="needs the extra kerashub")


@pytest.fixture(scope="module")
def resnet(keras_hub, tmp_path_factory):
    """A backbone of feature maps, and the folder of its preset, which rescales to [-1, 1]."""
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        use_pre_activation=False,
    )
    converter = keras_hub.layers.ResNetImageConverter(
        image_size=(SIDE, SIDE), scale=1 / 127.5, offset=-1.0
    )
    preprocessor = keras_hub.models.ResNetImageClassifierPreprocessor(image_converter=converter)
    return backbone, saved(tmp_path_factory.mktemp("resnet"), backbone, preprocessor)


@pytest.fixture(scope="module")
def vit(keras_hub, tmp_path_factory):
    """A backbone of tokens, and the folder of its preset, which normalises by channel."""
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(SIDE, SIDE, 3),
        patch_size=8,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=16,
    )
    converter = keras_hub.layers.ViTImageConverter(
        image_size=(SIDE, SIDE), scale=[0.01, 0.02, 0.03], offset=[-1.0, 0.0, 1.0]
    )
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(image_converter=converter)
    return backbone, saved(tmp_path_factory.mktemp("vit"), backbone, preprocessor)


def saved(folder, *parts):
    for part in parts:
        part.save_to_preset(str(folder))
    return str(folder)


def images():
    return tf.random.stateless_uniform([2, SIDE, SIDE, 3], seed=[1, 2])


def extractor_of(name, **options):
    return Extractor.from_network(load_network(Config(extractor=name, **options)))


def test_the_features_are_the_averaged_maps_of_the_rescaled_images(resnet):
    backbone, preset = resnet
    expected = tf.reduce_mean(backbone(images() * 2 - 1), [1, 2])
    features = extractor_of(f"kerashub:{preset}")(images())
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_tokens_are_averaged_to_features(vit):
    backbone, preset = vit
    rescaled = images() * 255 * [0.01, 0.02, 0.03] + [-1.0, 0.0, 1.0]
    features = extractor_of(f"kerashub:{preset}")(images())
    np.testing.assert_allclose(
        features, tf.reduce_mean(backbone(rescaled), 1), rtol=1e-3, atol=1e-5
    )


def test_the_image_size_is_that_of_the_preset(resnet):
    assert load_network(Config(extractor=f"kerashub:{resnet[1]}")).image_size == SIDE


def test_a_backbone_of_convolutions_takes_another_image_size(resnet):
    assert extractor_of(f"kerashub:{resnet[1]}", image_size=48).image_size == 48


def test_a_backbone_of_tokens_refuses_another_image_size(vit):
    with pytest.raises(UserError, match="--image-size"):
        extractor_of(f"kerashub:{vit[1]}", image_size=48)


def test_a_preset_is_cut_at_a_layer(resnet):
    backbone, preset = resnet
    layer = next(layer.name for layer in backbone.layers if layer.name.endswith("_out"))
    network = load_network(Config(extractor=f"kerashub:{preset}@{layer}"))
    assert network.shape == (64,)


def test_an_unknown_layer_is_answered_with_all_layers(resnet):
    backbone, preset = resnet
    with pytest.raises(UserError, match=f"has no endpoint 'none'.*{backbone.layers[-1].name}"):
        extractor_of(f"kerashub:{preset}@none")


def test_a_preset_is_fine_tuned(resnet):
    config = Config(extractor=f"kerashub:{resnet[1]}", transfer="finetune")
    layer = load_network(config, trainable=True).layer
    with tf.GradientTape() as tape:
        features = layer(images(), training=True)
    gradients = tape.gradient(features, [v.value for v in layer.trainable_variables])
    assert gradients
    assert all(gradient is not None for gradient in gradients)


def test_from_scratch_the_weights_are_random_and_follow_from_the_seed(resnet):
    def features(seed):
        config = Config(extractor=f"kerashub:{resnet[1]}", transfer="scratch")
        return Extractor.from_network(load_network(config, seed))(images()).numpy()

    np.testing.assert_array_equal(features(1), features(1))
    assert not np.allclose(features(1), features(2))


def test_other_weights_in_the_folder_are_other_features(resnet, keras_hub, tmp_path):
    before = extractor_identity(Config(extractor=f"kerashub:{resnet[1]}"))["extractor"]
    with open(f"{resnet[1]}/model.weights.h5", "ab") as file:  # noqa: PTH123
        file.write(b"\0")
    assert extractor_identity(Config(extractor=f"kerashub:{resnet[1]}"))["extractor"] != before


@pytest.mark.parametrize("preset", ["no-such-preset", "."])
def test_what_is_no_preset_is_refused_on_one_line(keras_hub, preset):
    with pytest.raises(UserError) as error:
        extractor_of(f"kerashub:{preset}")
    assert str(error.value).startswith(f"--extractor kerashub:{preset} cannot be loaded (")
    assert "\n" not in str(error.value)


def test_kerashub_without_the_extra_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UserError, match=r"needs KerasHub; pip install 'tf-trainer\[kerashub\]'"):
        load_network(Config(extractor="kerashub:resnet_50_imagenet"))
