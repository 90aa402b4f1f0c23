"""Generate points of a ring: two networks against each other (GAN, arXiv 1406.2661).

    python examples/adversarial_networks.py

Seconds on two cores. You should see a test distance near 0.07: how far from the ring of radius 1
the points lie that are made of noise.
"""

from __future__ import annotations

import dataclasses  # new
import logging
from typing import Any  # new

import numpy as np  # new

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
class Ring(trainer.Task):
    """Points on a ring, without labels; the head is the generator, the loss that of the critic."""

    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    def data(self) -> dict[str, tuple[np.ndarray, tuple[()]]]:
        """Points [examples, 2] of every split."""
        angle = np.random.default_rng(0).uniform(0, 2 * np.pi, [3, 4000, 1])
        points = np.concatenate([np.cos(angle), np.sin(angle)], axis=2)
        return {name: (points[n], ()) for n, name in enumerate(("train", "validation", "test"))}

    def head(self, outputs: int) -> keras.Model:
        """Noise to points."""
        hidden = [keras.layers.Dense(64, "relu") for _ in range(2)]
        return keras.Sequential([*hidden, keras.layers.Dense(2)])


class AdversarialTrainer(trainer.Trainer):
    """The critic and its optimizer are attributes, and so in every checkpoint."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As the trainer, with a critic."""
        super().__init__(*args, **kwargs)
        hidden = [keras.layers.Dense(64, "relu") for _ in range(2)]
        self.critic = keras.Sequential([keras.Input([2]), *hidden, keras.layers.Dense(1)])
        self.critic_optimizer = keras.optimizers.Adam(self.config.learning_rate, beta_1=0.5)
        self.critic_optimizer.build(self.critic.trainable_variables)

    def train_step(self, batch: tuple[Any, Any, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Let each network learn from the other."""
        points, _, weight = batch
        made_up, real = tf.zeros_like(points[:, :1]), tf.ones_like(points[:, :1])
        with tf.GradientTape() as tape, tf.GradientTape() as critic_tape:
            of_made, of_points = self.critic(self.made_for(points)), self.critic(points)
            loss = self.compute_loss(real, of_made, weight)
            critic_loss = self.compute_loss(real, of_points, weight)
            critic_loss += self.compute_loss(made_up, of_made, weight)
        gradient_norm = self.apply_gradients(tape.gradient(loss, self.model.trainable_variables))
        variables = self.critic.trainable_variables
        self.critic_optimizer.apply(critic_tape.gradient(critic_loss, variables), variables)
        return {"loss": loss, "critic_loss": critic_loss, "gradient_norm": gradient_norm}

    def eval_step(self, batch: tuple[Any, Any, tf.Tensor]) -> dict[str, tf.Tensor]:
        """How far from the ring the points are that the generator makes."""
        points, _, weight = batch
        distances = tf.abs(tf.norm(self.made_for(points), axis=1) - 1)
        return {"loss": trainer.batch_mean(distances, weight)}

    def made_for(self, points: tf.Tensor) -> tf.Tensor:
        """As many points from noise, which is drawn for the step."""
        return self.model(tf.random.stateless_normal(points.shape, self.seed_of(self.step)))


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", data="auto", learning_rate=1e-3)  # new
    run = trainer.train(Ring(), config, trainer_class=AdversarialTrainer)  # new
    print(f"test distance {run.metrics['test']['loss']:.3f}; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
