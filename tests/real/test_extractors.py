"""A module that is not ours: MobileNet V2 of ../shared, as the hub gives it."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config
from trainer.extractors.loading import Extractor, load_network
from trainer.extractors.names import module_handles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "modules" / "mobilenet_v2_100_224_feature_vector"


@pytest.fixture(scope="module")
def mobilenet(folder):
    return Extractor.from_network(load_network(Config(extractor=str(folder))))


def test_it_tells_its_size_and_width(mobilenet):
    assert (mobilenet.image_size, mobilenet.shape) == (224, (1280,))


def test_it_gives_the_features_that_it_gives_by_itself(mobilenet, folder):
    images = tf.random.stateless_uniform([2, 224, 224, 3], seed=[1, 2])
    expected = tf.saved_model.load(str(folder))(images)
    np.testing.assert_allclose(mobilenet(images), expected, rtol=1e-4, atol=1e-5)


def test_it_is_found_by_its_name_in_the_cache_of_the_hub(folder, tmp_path, monkeypatch, offline):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    url = module_handles("mobilenet_v2")[0]
    kept = tmp_path / hashlib.sha1(url.encode()).hexdigest()
    kept.symlink_to(folder)
    assert Extractor.from_network(load_network(Config(extractor="mobilenet_v2"))).shape == (1280,)
