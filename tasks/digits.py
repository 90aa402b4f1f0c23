"""Digits: which of ten a small grey picture of handwriting shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, ImageClassification

if TYPE_CHECKING:
    import keras


class Digits(ImageClassification):
    """Ten digits, 70,000 grey pictures of 28x28 (TFDS mnist).

    `python -m trainer.run --task digits` reaches 0.93 on the test split of the sample.
    """

    dataset = "mnist"
    splits = {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}
    sample = "digits"
    channels = 1
    defaults = Config(extractor="none", image_size=28, epochs=10, batch_size=32, learning_rate=1e-3)

    def head(self, classes: int) -> keras.Model:
        """Pixels to 500 units to 500 units to logits."""
        from keras import Sequential, layers

        return Sequential(
            [
                layers.Flatten(),
                layers.Dense(500, activation="sigmoid", name="hidden_1"),
                layers.Dense(500, activation="sigmoid", name="hidden_2"),
                layers.Dense(classes, name="logits"),
            ]
        )
