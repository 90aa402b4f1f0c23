"""Search by an embedding: metric learning with triplets (arXiv 1703.07737).

    python examples/metric_learning.py

Seconds on two cores. You should see a test recall near 0.99, where the inputs themselves have 0.2:
how often the nearest neighbour of an example is of its own class, one never seen in training.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import numpy as np  # new

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
MARGIN = 0.2


class Embedding(trainer.Task):
    """Points around the centres of 60 classes; in most dimensions there is noise alone."""

    def data(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Points [examples, 32] and classes [examples]: 40 of train, ten each of the others."""
        random = np.random.default_rng(0)
        labels = random.integers(0, 60, 6000)
        points = random.normal(0, 3, [6000, 32])
        points[:, :8] = random.normal(size=[60, 8])[labels] + random.normal(0, 0.3, [6000, 8])
        parts = {"train": labels < 40, "validation": (labels >= 40) & (labels < 50)}
        parts["test"] = labels >= 50
        return {name: (points[part], labels[part]) for name, part in parts.items()}

    def head(self, classes: int) -> keras.Model:
        """Points to unit vectors."""
        return keras.Sequential([keras.layers.Dense(8), keras.layers.UnitNormalization()])


class TripletTrainer(trainer.Trainer):
    """Wants the furthest of an example's class nearer than the nearest of another."""

    def compute_loss(
        self, labels: tf.Tensor, logits: tf.Tensor, sample_weight: tf.Tensor, training: bool = True
    ) -> tf.Tensor:
        """The mean of the triplets of a batch, without the rows that fill it up."""
        distance = 1 - tf.matmul(logits, logits, transpose_b=True)
        counts = sample_weight > 0
        same = (labels[:, None] == labels) & counts
        furthest = tf.reduce_max(tf.where(same, distance, 0.0), axis=1)
        nearest = tf.reduce_min(tf.where(same | ~counts, 2.0, distance), axis=1)
        return trainer.batch_mean(tf.nn.relu(furthest - nearest + MARGIN), sample_weight)


def recall_at_1(vectors: np.ndarray, labels: np.ndarray) -> float:
    """How often the nearest other vector has the same label."""
    distance = -2 * vectors @ vectors.T + np.sum(vectors**2, axis=1)
    np.fill_diagonal(distance, np.inf)
    return float(np.mean(labels[distance.argmin(axis=1)] == labels))


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", data="auto", learning_rate=0.01)  # new
    run = trainer.train(Embedding(), config, trainer_class=TripletTrainer)  # new
    inputs, labels = Embedding().data()["test"]  # new
    before, after = (recall_at_1(x, labels) for x in (inputs, np.asarray(run.model(inputs))))  # new
    print(f"test recall {after:.3f}, before {before:.3f}; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
