"""Learn from images without labels: pseudo-labels (Lee, 2013) as a step.

    python examples/pseudo_labels_step.py

Of the flowers' training images only every eighth has a label here. Seconds on two cores once
examples/base.py has cached the features, under a minute before. On the built-in sample you should
see a test accuracy near 0.88, and 0.84 without the images that have no label.
"""

from __future__ import annotations

import logging

import trainer
from tasks.flowers import Flowers

import tensorflow as tf  # new: behind trainer, which turns oneDNN on before it is imported


# new:
EVERY, THRESHOLD = 8, 0.9


class PseudoLabelTrainer(trainer.Trainer):
    """Takes predictions that are certain for the labels of images that have none."""

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The usual step, with labels where there are some, and with certain predictions."""
        inputs, labels, sample_weight = batch
        has_label = tf.cast(self.example_indices % EVERY == 0, tf.float32) * sample_weight
        probabilities = tf.nn.softmax(self.model(inputs, training=False))
        pseudo_labels = tf.argmax(probabilities, axis=1, output_type=tf.int32)
        certain = tf.cast(tf.reduce_max(probabilities, axis=1) > THRESHOLD, tf.float32)
        is_taken = certain * (sample_weight - has_label)
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, has_label)
            pseudo_loss = self.compute_loss(pseudo_labels, logits, is_taken)
            total = loss + pseudo_loss
        gradient_norm = self.apply_gradients(tape.gradient(total, self.model.trainable_variables))
        self.update_metrics(labels, logits, has_label)
        taken = tf.reduce_sum(is_taken)
        return {"loss": loss, "pseudo_labels": taken, "gradient_norm": gradient_norm}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=PseudoLabelTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
