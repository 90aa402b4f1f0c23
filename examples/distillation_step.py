"""Teach a small head what a larger one has learned: distillation (arXiv 1503.02531) as a step.

    python examples/distillation_step.py

It trains the teacher as examples/base.py does, then the student: seconds
on two cores once its features are cached, under a minute before. On the built-in sample you should
see a test accuracy near 0.92.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import trainer
from tasks.flowers import Flowers

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
TEMPERATURE = 2.0


class Student(Flowers):
    """The flowers, with a head of a single layer."""

    def head(self, classes: int) -> keras.Model:
        """Features to logits."""
        return keras.Sequential([keras.layers.Dense(classes)])


class DistillingTrainer(trainer.Trainer):
    """Learns from the labels and from the logits of the teacher."""

    teacher: keras.Model

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The usual step, with the teacher's probabilities as soft labels beside the classes."""
        inputs, labels, sample_weight = batch
        soft_labels = tf.nn.softmax(self.teacher(inputs, training=False) / TEMPERATURE)
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
            soft_loss = self.compute_loss(soft_labels, logits / TEMPERATURE, sample_weight)
            total = loss + TEMPERATURE**2 * soft_loss
        gradient_norm = self.apply_gradients(tape.gradient(total, self.model.trainable_variables))
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "soft_loss": soft_loss, "gradient_norm": gradient_norm}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    teacher = dataclasses.replace(config, resume=None, hook=())  # new
    DistillingTrainer.teacher = trainer.train(Flowers(), teacher).model  # new
    run = trainer.train(Student(), config, trainer_class=DistillingTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
