"""Classify text: which module of Python's standard library a line of code is from.

    python examples/text.py

Seconds on two cores. You should see a test accuracy near 0.69.
"""

from __future__ import annotations

import dataclasses  # new
import inspect  # new
import logging

import numpy as np  # new

import trainer

import keras  # new: behind trainer, which turns oneDNN on before TensorFlow is imported


# new:
WORDS, LENGTH = 5000, 16


class Lines(trainer.ImageClassification):
    """Lines of five modules, as the numbers of their words."""

    classes = ("argparse", "logging", "tarfile", "typing", "zipfile")

    def data(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Word numbers [examples, 16] and classes [examples] of every split."""
        sources = [inspect.getsource(__import__(name)).splitlines() for name in self.classes]
        pairs = [(line, n) for n, lines in enumerate(sources) for line in lines if line.strip()]
        np.random.default_rng(0).shuffle(pairs)
        lines, labels = [line for line, _ in pairs], np.array([int(n) for _, n in pairs])
        words = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
        train, held_out = len(lines) * 7 // 10, len(lines) * 85 // 100
        words.adapt(lines[:train])
        numbers = np.asarray(words(lines))
        parts = {"train": slice(train), "validation": slice(train, held_out)}
        parts["test"] = slice(held_out, None)
        return {name: (numbers[part], labels[part]) for name, part in parts.items()}

    def head(self, classes: int) -> keras.Model:
        """Words to vectors, and their mean to logits."""
        layers = keras.layers
        pooled = [layers.Embedding(WORDS, 64), layers.GlobalAveragePooling1D()]
        return keras.Sequential([*pooled, layers.Dropout(0.3), layers.Dense(classes)])


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    config = dataclasses.replace(config, extractor="none", data="auto", learning_rate=0.01)  # new
    run = trainer.train(Lines(), config)  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
