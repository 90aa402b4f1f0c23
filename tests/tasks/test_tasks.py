"""What the built-in tasks promise, each a screenful."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import UserError
from trainer.data import SPLITS
from trainer.data.samples import SAMPLES
from trainer.task import find_task, task_names

FEATURES = tf.random.stateless_normal([4, 20], [1, 2])
LABELS = tf.constant([0, 1, 1, 0])

EVERY_TASK = pytest.mark.parametrize("name", task_names())


@EVERY_TASK
def test_a_task_names_its_three_splits(name):
    assert tuple(find_task(name).splits) == SPLITS


@EVERY_TASK
def test_a_task_has_a_sample_for_the_first_run(name):
    assert find_task(name).sample in SAMPLES


@EVERY_TASK
def test_a_loss_is_one_number_an_example(name):
    task = find_task(name)
    assert task.loss(LABELS, task.head(2)(FEATURES)).shape == [4]


@EVERY_TASK
def test_metrics_take_the_probabilities_that_the_task_makes_of_logits(name):
    task = find_task(name)
    probabilities = task.probabilities(task.head(2)(FEATURES))
    for metric in task.metrics().values():
        metric.update_state(LABELS, probabilities)
        assert 0 <= float(metric.result()) <= 1


def test_flowers_has_512_units_and_a_logit_a_class():
    head = find_task("flowers").head(5)
    assert head(FEATURES).shape == [4, 5]
    assert [v.shape for v in head.trainable_variables] == [(20, 512), (512,), (512, 5), (5,)]


def test_flowers_learns_from_half_of_the_photos():
    assert find_task("flowers").splits == {
        "train": "train[:50%]",
        "validation": "train[50%:75%]",
        "test": "train[75%:]",
    }


def test_horses_has_one_logit():
    assert find_task("horses").head(2)(FEATURES).shape == [4, 1]


def test_horses_has_the_binary_cross_entropy_of_its_logit():
    losses = find_task("horses").loss(tf.constant([0, 1]), tf.constant([[2.0], [2.0]]))
    np.testing.assert_allclose(losses, [np.log1p(np.exp(2)), np.log1p(np.exp(-2))], rtol=1e-5)


def test_horses_tells_its_probability_of_the_second_class():
    assert float(find_task("horses").probabilities(tf.constant([[0.0]]))[0]) == 0.5


def test_horses_refuses_more_than_two_classes():
    with pytest.raises(UserError, match="two classes"):
        find_task("horses").head(3)


def test_horses_adds_what_is_asked_of_a_binary_classifier():
    assert list(find_task("horses").metrics()) == ["accuracy", "auc", "precision", "recall"]


@pytest.mark.parametrize("breeds", [12, 64, 133])
def test_dogs_has_as_many_logits_as_there_are_breeds(breeds):
    assert find_task("dogs").head(breeds)(FEATURES).shape == [4, breeds]


def test_dogs_adds_the_five_likeliest():
    assert list(find_task("dogs").metrics()) == ["accuracy", "top_5_accuracy"]
