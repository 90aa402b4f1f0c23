"""Train with two optimizers: one for kernels, one for biases.

    python examples/two_optimizers_step.py

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
class TwoOptimizersTrainer(trainer.Trainer):
    """Kernels learn by the optimizer of the options, biases by SGD."""

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """The options' own; the other is an attribute, and so in every checkpoint."""
        self.bias_optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
        self.bias_optimizer.build([v for v in self.model.trainable_variables if v.name == "bias"])
        return super().build_optimizer()

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The usual step, with each gradient for its own optimizer."""
        inputs, labels, sample_weight = batch
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        pairs = list(zip(tape.gradient(loss, variables), variables, strict=True))
        biases = [(gradient, v) for gradient, v in pairs if v.name == "bias"]
        kernels = [gradient if v.name != "bias" else tf.zeros_like(v) for gradient, v in pairs]
        gradient_norm = self.apply_gradients(kernels)  # built for all: those of the biases are 0
        self.bias_optimizer.apply_gradients(biases)
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "gradient_norm": gradient_norm}


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=TwoOptimizersTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
