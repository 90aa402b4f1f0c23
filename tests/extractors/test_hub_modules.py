"""Hub modules as extractors: their features; refused where they give none."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.extractors.loading import Extractor, load_network


def extractor_of(name: str, image_size: int | None = None) -> Extractor:
    return Extractor.from_network(load_network(Config(extractor=name, image_size=image_size)))


def images(side=8):
    return tf.random.stateless_uniform([3, side, side, 3], seed=[1, 2])


# Features.


def test_the_features_are_the_outputs_of_the_module(vector_module):
    expected = tf.saved_model.load(str(vector_module))(images())
    np.testing.assert_array_equal(extractor_of(str(vector_module))(images()), expected)


def test_the_shape_of_the_features_is_known(vector_module):
    assert extractor_of(str(vector_module)).shape == (4,)


def test_the_image_size_is_that_of_the_signature(vector_module):
    assert extractor_of(str(vector_module)).image_size == 8


def test_the_embedded_module_takes_224_pixels_and_gives_1280_features():
    network = load_network(Config(extractor="efficientnet_lite0"))
    assert (network.image_size, network.shape) == (224, (1280,))


def test_a_module_of_any_image_size_takes_the_one_given():
    extractor = extractor_of("efficientnet_lite0", image_size=64)
    assert extractor(images(side=64)).shape == (3, 1280)


def test_a_batch_may_have_any_size(vector_module):
    extractor = extractor_of(str(vector_module))
    assert extractor(images()[:1]).shape == (1, 4)


# Unusable modules.


@pytest.fixture
def damaged(vector_module, tmp_path):
    """A copy of the tiny module in which one file is cut to its first bytes."""

    def cut(name):
        folder = shutil.copytree(vector_module, tmp_path / "damaged")
        (folder / name).write_bytes((folder / name).read_bytes()[:10])
        return str(folder)

    return cut


def test_a_folder_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=rf"^--extractor {tmp_path} cannot be loaded .*saved_model"):
        extractor_of(str(tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    ],
)
def test_a_damaged_saved_model_is_refused(damaged, name):
    folder = damaged(name)
    with pytest.raises(UserError, match=rf"^--extractor {folder} cannot be loaded "):
        extractor_of(folder)


def test_a_module_without_features_is_refused_with_its_output(tiny_modules):
    with pytest.raises(UserError, match=r"dict gives a dict, neither a vector nor a feature map "):
        extractor_of(str(tiny_modules / "dict"))


@pytest.mark.parametrize(("kind", "size"), [("text", None), ("vector", 9)])
def test_a_module_that_does_not_take_images_of_the_size_is_refused(tiny_modules, kind, size):
    with pytest.raises(UserError, match=rf"{kind} takes no float images .*--image-size"):
        extractor_of(str(tiny_modules / kind), size)
