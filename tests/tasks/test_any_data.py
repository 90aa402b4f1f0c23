"""The tasks of any folder and of any TFDS dataset."""

import pytest
import tensorflow as tf

from trainer.setup.plugins import find_task

FEATURES = tf.random.stateless_normal([4, 20], [1, 2])
BOTH = pytest.mark.parametrize("name", ["folder", "tfds:cifar10"])


@BOTH
@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_there_is_a_logit_for_each_class_of_the_data(name, classes):
    assert find_task(name).head(classes)(FEATURES).shape == [4, classes]


@BOTH
def test_there_is_one_hidden_layer(name):
    head = find_task(name).head(5)
    head(FEATURES)
    assert [v.shape for v in head.trainable_variables] == [(20, 512), (512,), (512, 5), (5,)]


@BOTH
def test_the_extractor_is_frozen_unless_it_is_told(name):
    defaults = find_task(name).defaults
    assert (defaults.extractor, defaults.transfer) == ("efficientnet_lite0", None)


@BOTH
def test_there_is_no_sample_of_what_may_be_anything(name):
    assert find_task(name).sample is None


def test_a_folder_has_no_dataset():
    assert find_task("folder").dataset == ""


def test_a_dataset_of_tfds_has_the_splits_it_has():
    assert find_task("tfds:cifar10").splits is None
