"""Learn a number: how far a disc is from the middle of a picture.

    python examples/regression.py

Seconds on two cores. You should see a test R² near 0.90. For photos of your own with a number each
in a table, `python -m trainer.run --task regression --data numbers.csv`.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import numpy as np  # new

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported


# new:
class Distance(trainer.Regression):
    """Pictures of a disc on noise; the number is its distance from the middle, in pixels."""

    loss = keras.losses.Huber()

    def data(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Pictures [examples, 24, 24, 1] and numbers [examples] of every split."""
        random = np.random.default_rng(0)
        y, x = random.uniform(-8, 8, [2, 2000, 1, 1])
        rows, columns = np.mgrid[-11.5:12, -11.5:12]
        discs = np.hypot(rows - y, columns - x) < 3
        pictures = (discs + random.normal(0, 0.2, discs.shape))[..., None]
        numbers = np.hypot(y, x).ravel()
        parts = {"train": slice(1400), "validation": slice(1400, 1700), "test": slice(1700, 2000)}
        return {name: (pictures[part], numbers[part]) for name, part in parts.items()}

    def head(self, numbers: int) -> keras.Model:
        """Pictures to the number."""
        layers = keras.layers
        hidden = [layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(64, "relu")]
        return keras.Sequential([*hidden, layers.Dense(numbers)])


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", data="auto", learning_rate=0.003)  # new
    run = trainer.train(Distance(), config)  # new
    print(f"test R² {run.metrics['test']['r2']:.3f}; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
