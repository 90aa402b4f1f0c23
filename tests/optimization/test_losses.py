import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.horses import Horses
from tests.training import BATCH, SIZES, Tiny, features
from trainer import Config, Task, Trainer, UserError
from trainer.loop.batches import FeatureBatches
from trainer.optimization.losses import balanced, smoothed, weighted

LOGITS = tf.constant([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]])
LABELS = tf.constant([0, 2])


def cross_entropy(shares: np.ndarray, logits: np.ndarray) -> np.ndarray:
    log_sums = np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    return -np.sum(shares * (logits - log_sums), axis=-1)


def test_a_smoothed_label_is_spread_over_all_classes():
    losses = smoothed(Task().loss, 0.3, classes=3)(LABELS, LOGITS)
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(losses, cross_entropy(shares, LOGITS.numpy()), rtol=1e-5)


def test_shares_of_classes_are_smoothed_too():
    losses = smoothed(Task().loss, 0.3, classes=3)(tf.constant([[0.5, 0.5, 0.0]]), LOGITS[:1])
    shares = np.array([[0.45, 0.45, 0.1]])
    np.testing.assert_allclose(losses, cross_entropy(shares, LOGITS[:1].numpy()), rtol=1e-5)


@pytest.mark.parametrize("labels", [[0, 1], [[1.0, 0.0], [0.0, 1.0]]], ids=["classes", "shares"])
def test_one_logit_is_smoothed_towards_a_half(labels):
    losses = smoothed(Horses().loss, 0.2, classes=2)(tf.constant(labels), tf.constant([[2.0], [2]]))
    right, wrong = -np.log(1 / (1 + np.exp(-2.0))), -np.log(1 / (1 + np.exp(2.0)))
    expected = [0.1 * right + 0.9 * wrong, 0.9 * right + 0.1 * wrong]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_each_example_counts_as_its_class_weighs():
    losses = weighted(Task().loss, np.float32([3, 1, 0.5]))(LABELS, LOGITS)
    np.testing.assert_allclose(losses, Task().loss(LABELS, LOGITS) * [3, 0.5], rtol=1e-6)


def test_shares_of_classes_weigh_by_share():
    shares = tf.constant([[0.5, 0.0, 0.5]])
    losses = weighted(Task().loss, np.float32([3, 1, 0.5]))(shares, LOGITS[:1])
    np.testing.assert_allclose(losses, Task().loss(shares, LOGITS[:1]) * 1.75, rtol=1e-6)


def test_balanced_weights_let_every_class_count_alike():
    weights = balanced(np.array([0, 0, 0, 1, 1, 2]), classes=3)
    np.testing.assert_allclose(weights, [6 / (3 * 3), 6 / (3 * 2), 6 / 3])


def test_a_class_without_examples_has_a_finite_weight():
    assert np.isfinite(balanced(np.array([0, 0]), classes=2)).all()


def test_training_weighs_classes_by_the_examples_of_train(make_trainer):
    trainer = make_trainer(class_weights="balanced")
    counts = np.bincount(features("train").labels)
    expected = SIZES["train"] / (3 * counts[[0, 2]]) * trainer.task.loss(LABELS, LOGITS)
    assert float(trainer.loss(LABELS, LOGITS)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_padding_counts_for_nothing_under_all_of_it(make_trainer):
    trainer = make_trainer(class_weights="balanced", label_smoothing=0.1)
    padded = trainer.loss(tf.constant([0, 2, -1, -1]), tf.concat([LOGITS, LOGITS], 0))
    assert float(padded) == pytest.approx(float(trainer.loss(LABELS, LOGITS)), rel=1e-6)


def test_evaluation_goes_by_the_tasks_own_loss(make_trainer):
    plain, changed = make_trainer(), make_trainer(class_weights="balanced", label_smoothing=0.1)
    assert changed.evaluate("validation") == plain.evaluate("validation")


# A task's own loss of classes alone.


class OfClasses(Tiny):
    def loss(self, labels, logits):
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


class ByIndex(Tiny):
    def loss(self, labels, logits):
        return -tf.gather(tf.nn.log_softmax(logits), labels, batch_dims=1)


def trainer_of(task, **options):
    batches = {"train": FeatureBatches(features("train"), BATCH, seed=0)}
    return Trainer(task, Config(batch_size=BATCH, **options), ["a", "b", "c"], batches)


@pytest.mark.parametrize("task", [OfClasses(), ByIndex()], ids=["keras", "by index"])
def test_a_loss_of_classes_is_refused_shares_of_them(task):
    line = rf"^--label-smoothing: the loss of {task.name} takes no shares of classes \(.*\); leave"
    with pytest.raises(UserError, match=line):
        trainer_of(task, label_smoothing=0.1)


@pytest.mark.parametrize("task", [OfClasses(), ByIndex()], ids=["keras", "by index"])
def test_a_loss_of_classes_does_where_labels_are_classes(task):
    trainer_of(task, class_weights="balanced").fit()
