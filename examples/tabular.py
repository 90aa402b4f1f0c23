"""Train on arrays of your own in place of images: points on a plane, in two half moons.

    python examples/tabular.py

Seconds on two cores. You should see a test accuracy near 0.99.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import numpy as np  # new

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported


# new:
class Moons(trainer.ImageClassification):
    """Which of two moons a point is on."""

    def data(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Points [examples, 2] and classes [examples] of every split."""
        random = np.random.default_rng(0)
        moon = random.integers(0, 2, 2000)
        angle = random.uniform(0, np.pi, 2000)
        x = np.where(moon, 1 - np.cos(angle), np.cos(angle))
        y = np.where(moon, 0.5 - np.sin(angle), np.sin(angle))
        points = np.stack([x, y], axis=1) + random.normal(0, 0.1, [2000, 2])
        parts = {"train": slice(1400), "validation": slice(1400, 1700), "test": slice(1700, 2000)}
        return {name: (points[part], moon[part]) for name, part in parts.items()}

    def head(self, classes: int) -> keras.Model:
        """Points to 32 units to logits."""
        layers = keras.layers
        return keras.Sequential([layers.Dense(32, "relu"), layers.Dense(classes)])


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", data="auto", learning_rate=0.01)  # new
    run = trainer.train(Moons(), config)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
