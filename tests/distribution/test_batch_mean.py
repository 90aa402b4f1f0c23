import pytest
import tensorflow as tf

import trainer


def test_on_one_device_it_is_the_weighted_mean():
    mean = trainer.batch_mean(tf.constant([1.0, 2.0, 6.0]), tf.constant([1.0, 1.0, 0.0]))
    assert float(mean) == pytest.approx(1.5)


def test_of_examples_without_weight_it_is_0():
    assert float(trainer.batch_mean(tf.ones([3]), tf.zeros([3]))) == 0
