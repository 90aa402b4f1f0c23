"""Tasks with small networks that have state beside their weights, for whole runs of seconds.

`--task tests.networks:Pixels` finds them where the checkout is on the path of Python.
"""

import keras

from trainer import Config, ImageClassification


class Pixels(ImageClassification):
    """Convolution, batch norm and dropout on augmented images."""

    defaults = Config(
        extractor="none",
        image_size=12,
        batch_size=8,
        epochs=6,
        augment="standard",
        ema=0.9,
        log_every=7,
        checkpoint_every="5steps",
    )

    def head(self, classes: int) -> keras.Model:
        layers = keras.layers
        return keras.Sequential(
            [
                layers.Conv2D(8, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.Dropout(0.2),
                layers.Flatten(),
                layers.Dense(classes),
            ]
        )


class Features(ImageClassification):
    """Dropout on features, with a schedule and accumulated gradients."""

    defaults = Config(
        batch_size=8,
        epochs=40,
        log_every=7,
        schedule="cosine",
        warmup="5%",
        accumulate=2,
        checkpoint_every="20steps",
    )

    def head(self, classes: int) -> keras.Model:
        layers = keras.layers
        return keras.Sequential(
            [layers.Dense(16, "relu"), layers.Dropout(0.3), layers.Dense(classes)]
        )
