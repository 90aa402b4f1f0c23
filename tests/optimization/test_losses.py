import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.horses import Horses
from tests.training import BATCH, SIZES, Tiny, features
from trainer import (
    Config,
    ImageClassification,
    MultiLabelClassification,
    Regression,
    Trainer,
    UserError,
)
from trainer.loop.array_batches import FeatureBatches
from trainer.optimization.losses import (
    SmoothedLoss,
    balanced_class_weights,
    binary_focal_crossentropy,
    check_label_options,
    focal_crossentropy,
    task_example_loss,
    with_class_weights,
)

LOSS = ImageClassification().loss
LOGITS = tf.constant([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]])
LABELS = tf.constant([0, 2])
ALL = tf.ones([2])


def cross_entropy(soft: np.ndarray, logits: np.ndarray) -> np.ndarray:
    log_sums = np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    return -np.sum(soft * (logits - log_sums), axis=-1)


def test_a_smoothed_label_is_spread_over_all_classes():
    losses = SmoothedLoss(LOSS, 0.3, classes=3)(LABELS, LOGITS)
    soft = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(losses, cross_entropy(soft, LOGITS.numpy()), rtol=1e-5)


def test_soft_labels_are_smoothed_too():
    losses = SmoothedLoss(LOSS, 0.3, classes=3)(tf.constant([[0.5, 0.5, 0.0]]), LOGITS[:1])
    soft = np.array([[0.45, 0.45, 0.1]])
    np.testing.assert_allclose(losses, cross_entropy(soft, LOGITS[:1].numpy()), rtol=1e-5)


@pytest.mark.parametrize("labels", [[0, 1], [[1.0, 0.0], [0.0, 1.0]]], ids=["classes", "soft"])
def test_one_logit_is_smoothed_towards_a_half(labels):
    losses = SmoothedLoss(Horses().loss, 0.2, classes=2)(
        tf.constant(labels), tf.constant([[2.0], [2]])
    )
    right, wrong = -np.log(1 / (1 + np.exp(-2.0))), -np.log(1 / (1 + np.exp(2.0)))
    expected = [0.1 * right + 0.9 * wrong, 0.9 * right + 0.1 * wrong]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_each_example_has_the_weight_of_its_class():
    losses = with_class_weights(LOSS, np.float32([3, 1, 0.5]))(LABELS, LOGITS)
    np.testing.assert_allclose(losses, LOSS(LABELS, LOGITS) * [3, 0.5], rtol=1e-6)


def test_soft_labels_have_the_weights_of_their_classes_by_share():
    soft = tf.constant([[0.5, 0.0, 0.5]])
    losses = with_class_weights(LOSS, np.float32([3, 1, 0.5]))(soft, LOGITS[:1])
    np.testing.assert_allclose(losses, LOSS(soft, LOGITS[:1]) * 1.75, rtol=1e-6)


def test_balanced_weights_give_every_class_the_same_sum():
    weights = balanced_class_weights(np.array([0, 0, 0, 1, 1, 2]), classes=3)
    np.testing.assert_allclose(weights, [6 / (3 * 3), 6 / (3 * 2), 6 / 3])


def test_a_class_without_examples_has_a_finite_weight():
    assert np.isfinite(balanced_class_weights(np.array([0, 0]), classes=2)).all()


def test_training_weights_classes_by_the_examples_of_train(make_trainer):
    trainer = make_trainer(class_weights="balanced")
    counts = np.bincount(features("train").labels)
    expected = SIZES["train"] / (3 * counts[[0, 2]]) * trainer.task.loss(LABELS, LOGITS)
    assert float(trainer.compute_loss(LABELS, LOGITS, ALL)) == pytest.approx(
        np.mean(expected), rel=1e-5
    )


def test_rows_of_weight_0_do_not_count_with_smoothed_labels_and_weighted_classes(make_trainer):
    trainer = make_trainer(class_weights="balanced", label_smoothing=0.1)
    labels, logits = tf.concat([LABELS, LABELS], 0), tf.concat([LOGITS, LOGITS], 0)
    filled = trainer.compute_loss(labels, logits, tf.constant([1.0, 1, 0, 0]))
    bare = trainer.compute_loss(LABELS, LOGITS, ALL)
    assert float(filled) == pytest.approx(float(bare), rel=1e-6)


def test_evaluation_has_the_tasks_own_loss(make_trainer):
    plain, changed = make_trainer(), make_trainer(class_weights="balanced", label_smoothing=0.1)
    assert changed.evaluate("validation") == plain.evaluate("validation")


# A task's own loss that takes classes only.


class KerasLoss(Tiny):
    def loss(self, labels, logits):
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


class ByIndex(Tiny):
    def loss(self, labels, logits):
        return -tf.gather(tf.nn.log_softmax(logits), labels, batch_dims=1)


def trainer_of(task, **options):
    batches = {split: FeatureBatches(features(split), BATCH, seed=0) for split in SIZES}
    return Trainer(task, Config(batch_size=BATCH, **options), ["a", "b", "c"], batches)


@pytest.mark.parametrize("task", [KerasLoss(), ByIndex()], ids=["keras", "by index"])
def test_where_labels_are_soft_a_loss_of_classes_is_refused(task):
    line = rf"^--label-smoothing: the loss of {task.name} takes no soft labels \(.*\); omit"
    with pytest.raises(UserError, match=line):
        trainer_of(task, label_smoothing=0.1)


@pytest.mark.parametrize("task", [KerasLoss(), ByIndex()], ids=["keras", "by index"])
def test_where_labels_are_classes_a_loss_of_classes_trains(task):
    trainer_of(task, class_weights="balanced").fit()


# One value an example.


class MeanLoss(Tiny):
    def loss(self, labels, logits):
        return tf.reduce_mean(super().loss(labels, logits))


class LossOfOne(Tiny):
    """Would be multiplied with every weight of the batch."""

    def loss(self, labels, logits):
        return super().loss(labels, logits)[:1]


class LossOfClasses(Tiny):
    def loss(self, labels, logits):
        return logits * tf.one_hot(labels, 3)


@pytest.mark.parametrize(
    ("task", "shape"),
    [(MeanLoss(), r"\(\)"), (LossOfOne(), r"\(1,\)"), (LossOfClasses(), r"\(8, 3\)")],
)
def test_a_loss_that_is_not_one_value_an_example_is_refused(task, shape):
    batches = {s: FeatureBatches(features(s), BATCH, 0) for s in SIZES}
    trainer = Trainer(task, Config(batch_size=BATCH), ["a", "b", "c"], batches)
    with pytest.raises(UserError) as error:
        trainer.build()
    assert re.match(
        rf"the loss of {task.name} must be one value an example, \(8,\), and is {shape}; ",
        str(error.value),
    )
    assert "reduction=None" in str(error.value)
    assert "\n" not in str(error.value)


class KerasLoss(Tiny):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_a_loss_of_keras_is_taken_per_example():
    losses = task_example_loss(KerasLoss())(LABELS, LOGITS)
    np.testing.assert_allclose(losses, LOSS(LABELS, LOGITS), rtol=1e-6)


def test_with_a_loss_of_keras_rows_of_weight_0_do_not_count():
    batches = {s: FeatureBatches(features(s), BATCH, 0) for s in SIZES}
    trainer = Trainer(KerasLoss(), Config(batch_size=BATCH), ["a", "b", "c"], batches)
    filled = trainer.compute_loss(LABELS, LOGITS, tf.constant([1.0, 0.0]))
    assert float(filled) == pytest.approx(float(LOSS(LABELS, LOGITS)[0]))


# Focal loss.


def test_focal_loss_is_the_cross_entropy_times_the_square_of_what_is_wrong():
    probability = np.exp(-LOSS(LABELS, LOGITS))
    expected = (1 - probability) ** 2 * LOSS(LABELS, LOGITS)
    np.testing.assert_allclose(focal_crossentropy(LABELS, LOGITS), expected, rtol=1e-5)


def test_focal_loss_takes_soft_labels_by_share():
    soft = tf.constant([[0.25, 0.0, 0.75]])
    of_classes = [focal_crossentropy(tf.constant([label]), LOGITS[:1]) for label in (0, 2)]
    expected = 0.25 * of_classes[0] + 0.75 * of_classes[1]
    np.testing.assert_allclose(focal_crossentropy(soft, LOGITS[:1]), expected, rtol=1e-5)


def test_focal_loss_of_labels_is_the_mean_of_each():
    labels, logits = tf.constant([[1.0, 0.0]]), tf.constant([[0.5, 2.0]])
    right = 1 / (1 + np.exp(-np.array([0.5, -2.0])))
    expected = np.mean((1 - right) ** 2 * -np.log(right))
    np.testing.assert_allclose(binary_focal_crossentropy(labels, logits), [expected], rtol=1e-5)


def test_training_minimizes_focal_loss_and_evaluation_measures_that_of_the_task(make_trainer):
    trainer = make_trainer(loss="focal")
    focal = np.mean(focal_crossentropy(LABELS, LOGITS))
    assert float(trainer.compute_loss(LABELS, LOGITS, ALL)) == pytest.approx(focal, rel=1e-5)
    measured = trainer.compute_loss(LABELS, LOGITS, ALL, training=False)
    assert float(measured) == pytest.approx(np.mean(LOSS(LABELS, LOGITS)), rel=1e-5)


def test_focal_loss_takes_smoothed_labels_and_weights_of_classes(make_trainer):
    trainer = make_trainer(loss="focal", label_smoothing=0.3, class_weights="balanced")
    weights = balanced_class_weights(features("train").labels, 3)
    smoothed = SmoothedLoss(focal_crossentropy, 0.3, classes=3)
    expected = np.mean(with_class_weights(smoothed, weights)(LABELS, LOGITS))
    assert float(trainer.compute_loss(LABELS, LOGITS, ALL)) == pytest.approx(expected, rel=1e-5)


class OwnLoss(ImageClassification):
    def loss(self, labels, logits):
        return super().loss(labels, logits)


class OfKeras(ImageClassification):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize("task", [OwnLoss(), OfKeras(), Horses(), Regression()])
def test_focal_loss_is_not_for_a_task_with_another_loss(task):
    with pytest.raises(UserError, match=rf"^--loss focal .* and {task.name} has another; omit it$"):
        check_label_options(task, Config(loss="focal"))


@pytest.mark.parametrize("task", [ImageClassification(), MultiLabelClassification()])
def test_focal_loss_is_for_classes_and_for_labels(task):
    check_label_options(task, Config(loss="focal"))


@pytest.mark.parametrize("task", [MultiLabelClassification(), Regression()])
def test_balanced_sampling_is_for_classes(task):
    with pytest.raises(UserError, match=r"^--sampling is for one class an image, and .*; omit it$"):
        check_label_options(task, Config(sampling="balanced"))


def test_balanced_sampling_and_class_weights_are_not_for_each_other():
    with pytest.raises(UserError, match=r"^--sampling balanced and --class-weights balanced both"):
        Config(sampling="balanced", class_weights="balanced")
