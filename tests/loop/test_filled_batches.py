"""The rows that fill up a last batch: real examples at weight 0, which no number counts twice."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, Regression, Task, Trainer
from trainer.features.features import Features
from trainer.loop.array_batches import FeatureBatches

EXAMPLES, BATCH, WIDTH = 10, 8, 3
VECTORS = np.random.default_rng(0).normal(2, 3, [EXAMPLES, WIDTH]).astype(np.float32)


class Normed(Regression):
    """A head whose batch norm remembers the last batch alone."""

    def head(self, numbers):
        layers = keras.layers
        return keras.Sequential([layers.BatchNormalization(momentum=0.0), layers.Dense(numbers)])


def make_trainer(task, labels, **options):
    batches = {
        split: FeatureBatches(Features(VECTORS, labels), BATCH, seed=0)
        for split in ("train", "validation")
    }
    config = Config(batch_size=BATCH, epochs=1, jit="off", **options)
    names = [str(number) for number in range(labels.shape[-1])]
    return Trainer(task, config, names, batches)


@pytest.fixture
def numbers():
    """Some of them are negative, some 0: no value of a label says that it fills up a batch."""
    return np.float32([-0.3, 0, 1, -1, 0.3, 2, -0.3, 0, 5, -7])[:, None]


def test_batch_norm_learns_from_examples_alone(numbers):
    trainer = make_trainer(Normed(), numbers)
    trainer.fit()
    train = trainer.batches["train"]
    rows = train.make_iterator(epoch=0).numpy()[-1]
    assert len(set(rows)) == BATCH  # no example is there twice
    moving_mean = trainer.model.layers[0].moving_mean
    np.testing.assert_allclose(moving_mean, VECTORS[rows].mean(axis=0), rtol=1e-5)


def test_every_number_counts_once_whatever_its_value(numbers):
    trainer = make_trainer(Normed(), numbers)
    outputs = trainer.model(VECTORS, training=False).numpy()
    expected = np.mean((outputs - numbers) ** 2)
    metrics = trainer.evaluate("validation")
    assert metrics["loss"] == pytest.approx(expected, rel=1e-5)
    error = np.mean(np.abs(outputs - numbers))
    assert metrics["mean_absolute_error"] == pytest.approx(error, rel=1e-5)


class Masks(Task):
    """A mask of four pixels for each example, in which 0 is the ground."""

    def head(self, pixels):
        return keras.Sequential([keras.layers.Dense(pixels)])

    def loss(self, labels, outputs):
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels, outputs)
        return tf.reduce_mean(losses, axis=-1)

    def metrics(self):
        return {"pixel_accuracy": keras.metrics.BinaryAccuracy(threshold=0.0)}


def test_a_mask_of_ground_alone_counts_as_any_other():
    labels = np.zeros([EXAMPLES, 4], np.float32)
    labels[::2] = 1
    trainer = make_trainer(Masks(), labels)
    outputs = trainer.model(VECTORS).numpy()
    expected = np.mean((outputs > 0) == labels)
    assert trainer.evaluate("validation")["pixel_accuracy"] == pytest.approx(expected, rel=1e-5)
