"""Sum up the gradients of several batches by hand, and apply their mean.

    python examples/accumulation_step.py

Seconds on two cores once examples/base.py has cached the features, under a minute before. On the
built-in sample you should see a test accuracy near 0.93.
"""

from __future__ import annotations

import logging

import trainer
from tasks.flowers import Flowers

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
BATCHES = 2


class AccumulatingTrainer(trainer.Trainer):
    """Changes the weights once in so many steps (`--accumulate 2` does it for you)."""

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """The options' own; the sums are attributes, and so in every checkpoint."""
        self.sums = [tf.Variable(tf.zeros(v.shape)) for v in self.model.trainable_variables]
        return super().build_optimizer()

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Add the gradients up; every other step apply their mean."""
        inputs, labels, sample_weight = batch
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        gradients = tape.gradient(loss, self.model.trainable_variables)
        for total, gradient in zip(self.sums, gradients, strict=True):
            total.assign_add(gradient / BATCHES)
        if (self.step + 1) % BATCHES == 0:
            self.apply_gradients([total.value() for total in self.sums])
            for total in self.sums:
                total.assign(tf.zeros_like(total))
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=AccumulatingTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
