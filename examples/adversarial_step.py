"""Train on inputs that were made harder: the fast gradient sign method (FGSM, arXiv 1412.6572).

    python examples/adversarial_step.py

Seconds on two cores once examples/base.py has cached the features, under a minute before. On the
built-in sample you should see a test accuracy near 0.93.
"""

from __future__ import annotations

import logging

import trainer
from tasks.flowers import Flowers

import tensorflow as tf  # new: behind trainer, which turns oneDNN on before it is imported


# new:
EPSILON = 0.02


class AdversarialTrainer(trainer.Trainer):
    """Moves every input a little to where its loss is higher, and learns from both."""

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The usual step, on the mean of the losses of the inputs and of the harder ones."""
        inputs, labels, sample_weight = batch
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = self.compute_loss(labels, self.model(inputs, training=False), sample_weight)
        harder = inputs + EPSILON * tf.sign(tape.gradient(loss, inputs))
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
            harder_logits = self.model(harder, training=True)
            harder_loss = self.compute_loss(labels, harder_logits, sample_weight)
            both = (loss + harder_loss) / 2
        gradient_norm = self.apply_gradients(tape.gradient(both, self.model.trainable_variables))
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "harder_loss": harder_loss, "gradient_norm": gradient_norm}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=AdversarialTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
