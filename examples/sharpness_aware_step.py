"""Train towards flat minima: sharpness-aware minimization (SAM, arXiv 2010.01412) as a step.

    python examples/sharpness_aware_step.py

Seconds on two cores once examples/base.py has cached the features, under a minute before. On the
built-in sample you should see a test accuracy near 0.93.
"""

from __future__ import annotations

import logging

import trainer
from tasks.flowers import Flowers

import tensorflow as tf  # new: behind trainer, which turns oneDNN on before it is imported


# new:
RADIUS = 0.05


class SharpnessAwareTrainer(trainer.Trainer):
    """Takes the gradient where the loss is highest nearby."""

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Climb by RADIUS, take the gradient there, and go back before it is applied."""
        inputs, labels, sample_weight = batch
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        uphill = tape.gradient(loss, variables)
        scale = RADIUS / (tf.linalg.global_norm(uphill) + 1e-12)
        for variable, gradient in zip(variables, uphill, strict=True):
            variable.assign_add(scale * gradient)
        with tf.GradientTape() as tape:
            highest = self.compute_loss(labels, self.model(inputs, training=True), sample_weight)
        gradients = tape.gradient(highest, variables)
        for variable, gradient in zip(variables, uphill, strict=True):
            variable.assign_sub(scale * gradient)
        gradient_norm = self.apply_gradients(gradients)
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "highest_loss": highest, "gradient_norm": gradient_norm}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=SharpnessAwareTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
