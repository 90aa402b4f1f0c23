import keras
import pytest
import tensorflow as tf

from trainer.loop.models import build_model_from


@pytest.fixture
def head():
    return keras.Sequential([keras.layers.Dense(3)])


@pytest.fixture
def extractor():
    return keras.layers.Conv2D(4, 3)


def test_over_features_the_model_is_the_head(head):
    assert build_model_from(None, head, None) is head


def test_on_an_extractor_the_head_comes_last(extractor, head):
    assert build_model_from(extractor, head, None).layers == [extractor, head]


@pytest.mark.parametrize("of_maps", ["flatten", "avg"])
def test_a_head_of_maps_gives_logits(extractor, head, of_maps):
    assert build_model_from(extractor, head, of_maps)(tf.zeros([2, 8, 8, 3])).shape == (2, 3)


def test_a_flattened_map_keeps_all_its_numbers(head):
    build_model_from(None, head, "flatten")(tf.zeros([2, 5, 6, 7]))
    assert head.layers[0].kernel.shape[0] == 5 * 6 * 7


def test_an_averaged_map_keeps_a_number_a_channel(head):
    build_model_from(None, head, "avg")(tf.zeros([2, 5, 6, 7]))
    assert head.layers[0].kernel.shape[0] == 7
