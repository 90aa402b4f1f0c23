"""Fashion: which of ten kinds of garments a small grey picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, ImageClassification

if TYPE_CHECKING:
    import keras


class Fashion(ImageClassification):
    """Ten kinds of garments, 70,000 grey pictures of 28x28 (TFDS fashion_mnist).

    `python -m trainer.run --task fashion` stops in the epoch whose training accuracy
    reaches 0.90: the fourth on the sample, with 0.91 on its test split.
    """

    dataset = "fashion_mnist"
    splits = {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}
    sample = "fashion"
    channels = 1
    defaults = Config(
        extractor="none", image_size=28, epochs=10, learning_rate=1e-3, stop_at=("accuracy>=0.9",)
    )

    def head(self, classes: int) -> keras.Model:
        """Images to logits: one stage of convolution and pooling, 128 units."""
        from keras import Sequential, layers

        return Sequential(
            [
                layers.Conv2D(32, 3, activation="relu", name="convolution"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(128, activation="relu", name="hidden"),
                layers.Dense(classes, name="logits"),
            ]
        )
