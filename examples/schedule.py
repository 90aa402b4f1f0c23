"""Train with a schedule of your own: a learning rate that rises and falls (arXiv 1506.01186).

    python examples/schedule.py

Seconds on two cores once examples/base.py has cached the features, under a minute before. On the
built-in sample you should see a test accuracy near 0.94.
"""

from __future__ import annotations

import logging

import trainer
from tasks.flowers import Flowers

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported
import tensorflow as tf  # new


# new:
class Triangles(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from a tenth of the highest rate and falls again, in so many steps, for ever."""

    def __init__(self, highest: float, period: int) -> None:
        """From a tenth of `highest` to it and back in `period` steps."""
        self.highest, self.period = highest, period

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate of a step."""
        place = tf.cast(step % self.period, tf.float32) / self.period
        return self.highest * (0.1 + 0.9 * (1 - tf.abs(2 * place - 1)))


class CyclicTrainer(trainer.Trainer):
    """Two epochs for every rise and fall."""

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """Adam with the schedule."""
        period = 2 * self.steps_per_epoch
        return keras.optimizers.Adam(Triangles(3 * self.config.learning_rate, period))


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, trainer_class=CyclicTrainer)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
