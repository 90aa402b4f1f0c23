"""Train on pairs of examples laid over each other: MixUp (arXiv 1710.09412) as a step.

    python examples/mixup_step.py

TIME_MIXUP
"""

from __future__ import annotations

import logging

import tensorflow as tf  # new

import trainer
from tasks.flowers import Flowers


# new:
class MixupTrainer(trainer.Trainer):
    """Mixes each example with one of the same batch, and their labels as much."""

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The usual step, on mixed inputs and soft labels."""
        inputs, labels, sample_weight = batch
        labels = tf.one_hot(labels, len(self.classes))
        # The rows that fill up a last batch are other examples, of weight 0: good partners too.
        inputs, labels = (0.8 * x + 0.2 * tf.reverse(x, [0]) for x in (inputs, labels))
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        gradient_norm = self.apply_gradients(tape.gradient(loss, self.model.trainable_variables))
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "gradient_norm": gradient_norm}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=MixupTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
