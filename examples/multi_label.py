"""Train on images with any number of labels: which of three shapes a picture shows.

    python examples/multi_label.py

Seconds on two cores. You should see a test mean average precision near 0.97. For photos of your own
with their labels in a table, `python -m trainer.run --task multi-label --data labels.csv`.
"""

from __future__ import annotations

import dataclasses  # new
import logging

import numpy as np  # new

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported


# new:
SIDE = 16
SHAPES = {
    "bar": np.array([[1] * 5]),
    "square": np.pad(np.zeros([3, 3]), 1, constant_values=1),
    "cross": np.maximum(np.eye(5), np.eye(5)[::-1]),
}


class Shapes(trainer.MultiLabelClassification):
    """Each shape is in half of the pictures, anywhere and on noise."""

    classes = tuple(SHAPES)

    def data(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Pictures [examples, 16, 16, 1] and labels [examples, 3] of every split."""
        random = np.random.default_rng(0)
        labels = random.integers(0, 2, [2000, len(SHAPES)]).astype(np.float32)
        pictures = random.normal(0, 0.2, [2000, SIDE, SIDE, 1])
        for picture, present in zip(pictures, labels, strict=True):
            for shape, is_in in zip(SHAPES.values(), present, strict=True):
                y, x = random.integers(0, SIDE - np.array(shape.shape) + 1)
                picture[y : y + shape.shape[0], x : x + shape.shape[1], 0] += is_in * shape
        parts = {"train": slice(1400), "validation": slice(1400, 1700), "test": slice(1700, 2000)}
        return {name: (pictures[part], labels[part]) for name, part in parts.items()}

    def head(self, labels: int) -> keras.Model:
        """Pictures to a logit for each shape."""
        layers = keras.layers
        seen = [layers.Conv2D(32, 5, activation="relu"), layers.GlobalMaxPooling2D()]
        return keras.Sequential([*seen, layers.Dense(labels)])


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", data="auto", learning_rate=0.01)  # new
    run = trainer.train(Shapes(), config)  # new
    precision = run.metrics["test"]["mean_average_precision"]  # new
    print(f"test mean average precision {precision:.3f}; everything is in {run.folder}")  # new
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
