"""Exports of the embedded extractor with a head, and of networks of keras.applications."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import Config
from trainer.setup.plugins import find_task

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    return {"log_dir": folder / "logs", "cache_dir": folder / "cache", "data": "sample"}


@pytest.fixture(scope="module")
def flowers(places):
    config = Config(**places, epochs=2, sample_examples=150)
    return trainer.train(find_task("flowers"), config)


@pytest.mark.parametrize("model_format", ["savedmodel", "litert", "onnx"])
def test_flowers_are_exported_in_every_format(flowers, model_format, tmp_path):
    flowers.export(tmp_path / "model", model_format)
    assert (tmp_path / "model" / "MODEL.md").is_file()


def test_an_export_has_the_weights_once(flowers, tmp_path):
    """3.4 million of the extractor and 0.7 of the head, four bytes each."""
    flowers.export(tmp_path / "model")
    files = [path for path in (tmp_path / "model").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 18e6


def test_feature_maps_for_the_head_become_its_feature_vector(places, tmp_path):
    network = {"extractor": "efficientnet_lite0@block_2", "head": "avg", "image_size": 64}
    run = trainer.train(
        find_task("flowers"), Config(**places, **network, epochs=1, sample_examples=60)
    )
    run.export(tmp_path / "model")
    images = tf.zeros([2, 64, 64, 3])
    endpoints = tf.saved_model.load(str(tmp_path / "model"))(images, return_endpoints=True)
    assert endpoints["feature_vector"].shape == (2, 24)


@pytest.mark.parametrize("transfer", ["frozen", "finetune"])
def test_a_network_of_keras_applications_is_a_keras_file(places, transfer, tmp_path):
    network = {"extractor": "keras:MobileNetV2", "weights": "none", "image_size": 32}
    config = Config(**places, **network, epochs=1, sample_examples=60, transfer=transfer)
    run = trainer.train(find_task("flowers"), config)
    run.export(tmp_path / "model", "keras")
    model = keras.saving.load_model(tmp_path / "model" / "model.keras")
    scores = model(tf.zeros([1, 32, 32, 3]))
    np.testing.assert_allclose(tf.reduce_sum(scores["scores"]), 1, atol=1e-6)
