"""Flowers: which of five kinds a photo shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, ImageClassification

if TYPE_CHECKING:
    import keras


class Flowers(ImageClassification):
    """Five kinds of flowers, 3,670 photos (TFDS tf_flowers).

    `python -m trainer.run --task flowers --data tfds` reaches 0.90 or more on the test split.
    """

    dataset = "tf_flowers"
    splits = {"train": "train[:50%]", "validation": "train[50%:75%]", "test": "train[75%:]"}
    sample = "flowers"
    defaults = Config(epochs=10, batch_size=32, learning_rate=1e-3)

    def head(self, classes: int) -> keras.Model:
        """Features to 512 units to logits."""
        from keras import Sequential, layers

        return Sequential([layers.Dense(512), layers.ReLU(), layers.Dense(classes)])
