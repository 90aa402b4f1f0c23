"""What the built-in tasks promise, each a screenful."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import UserError
from trainer.data import SPLITS
from trainer.samples import sample_names
from trainer.setup.plugins import find_task, task_names

FEATURES = tf.random.stateless_normal([4, 20], [1, 2])
LABELS = tf.constant([0, 1, 1, 0])


def inputs_of(task):
    """What a task's head takes by default: features, or images, only not as large."""
    if task.defaults.extractor != "none":
        return FEATURES
    return tf.random.stateless_uniform([4, 28, 28, task.channels], [1, 2])


EVERY_TASK = pytest.mark.parametrize("name", task_names())


def labels_of(task):
    """Of four images, as the task takes them, two names in all."""
    return LABELS if task.label_kind == "class" else tf.one_hot(LABELS, 2)


@EVERY_TASK
def test_a_task_names_its_three_splits(name):
    assert tuple(find_task(name).splits) == SPLITS


@pytest.mark.parametrize("name", [name for name in task_names() if find_task(name).dataset])
def test_a_task_with_data_of_its_own_has_a_sample_for_the_first_run(name):
    assert find_task(name).sample in sample_names()


@EVERY_TASK
def test_a_loss_is_one_number_an_example(name):
    task = find_task(name)
    assert task.loss(labels_of(task), task.head(2)(inputs_of(task))).shape == [4]


@EVERY_TASK
def test_metrics_take_the_predictions_that_the_task_makes_of_outputs(name):
    task = find_task(name)
    predictions = task.predictions(task.head(2)(inputs_of(task)))
    for metric in task.metrics().values():
        metric.update_state(labels_of(task), predictions)
        assert np.isfinite(metric.result()).all()


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


@pytest.mark.parametrize("name", ["flowers", "horses", "dogs"])
def test_a_cross_entropy_of_shares_is_as_much_of_each_class(name):
    task = find_task(name)
    logits = task.head(2)(FEATURES)
    shares = tf.constant([[0.3, 0.7]] * 4)
    first, second = (task.loss(tf.fill([4], label), logits) for label in (0, 1))
    expected = 0.3 * first + 0.7 * second
    np.testing.assert_allclose(task.loss(shares, logits), expected, rtol=1e-5)


def test_horses_tells_its_probability_of_the_second_class():
    assert float(find_task("horses").predictions(tf.constant([[0.0]]))[0]) == 0.5


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


# The tutorials' tasks, whose heads take images.


def weight_shapes(head, *shape):
    head(tf.zeros([1, *shape]))
    return [tuple(v.shape) for v in head.trainable_variables]


@pytest.mark.parametrize("name", ["fashion", "digits", "digits01"])
def test_mnist_and_its_like_are_learnt_from_grey_images_of_28_pixels(name):
    task = find_task(name)
    assert (task.channels, task.defaults.image_size, task.defaults.extractor) == (1, 28, "none")


def test_fashion_has_the_tutorials_convolutional_network():
    head = find_task("fashion").head(10)
    assert weight_shapes(head, 28, 28, 1) == [
        (3, 3, 1, 32), (32,), (13 * 13 * 32, 128), (128,), (128, 10), (10,)
    ]  # fmt: skip


def test_fashion_stops_at_nine_of_ten():
    assert find_task("fashion").defaults.stop_at == ("accuracy>=0.9",)


def test_digits_has_two_layers_of_500_units_over_the_pixels():
    head = find_task("digits").head(10)
    assert weight_shapes(head, 28, 28, 1) == [
        (784, 500), (500,), (500, 500), (500,), (500, 10), (10,)
    ]  # fmt: skip


def test_digits01_has_the_hidden_layers_of_digits():
    heads = [find_task(name).head(2) for name in ("digits", "digits01")]
    hidden = [[layer.name for layer in head.layers if "hidden" in layer.name] for head in heads]
    assert hidden[0] == hidden[1] == list(find_task("digits01").freeze_on_init)


def test_digits01_learns_by_stochastic_gradient_descent():
    defaults = find_task("digits01").defaults
    assert (defaults.optimizer, defaults.learning_rate) == ("sgd", 0.1)


@pytest.mark.parametrize("labels", [[0, 1], [[1.0, 0.0], [0.0, 1.0]]])
def test_digits01_has_the_mean_squared_error_of_its_probabilities(labels):
    logits = tf.math.log([[0.75, 0.25], [0.75, 0.25]])
    losses = find_task("digits01").loss(tf.constant(labels), logits)
    np.testing.assert_allclose(losses, [0.0625, 0.5625], rtol=1e-5)


def test_horses_cnn_has_three_stages_of_convolution_and_one_logit():
    head = find_task("horses-cnn").head(2)
    shapes = weight_shapes(head, 38, 38, 3)
    assert shapes[::2] == [(3, 3, 3, 16), (3, 3, 16, 32), (3, 3, 32, 64), (576, 512), (512, 1)]


def test_horses_cnn_sees_images_of_300_pixels():
    assert find_task("horses-cnn").defaults.image_size == 300


def test_horses_cnn_refuses_more_than_two_classes():
    with pytest.raises(UserError, match=r"^horses-cnn has two classes; the data have 3$"):
        find_task("horses-cnn").head(3)
