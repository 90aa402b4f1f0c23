"""Folder: any folder of class folders, whatever its pictures show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, ImageClassification

if TYPE_CHECKING:
    import keras


class Folder(ImageClassification):
    """As many classes as `PATH/<class>/*` or `PATH/{train,valid,test}/<class>/*` has.

    `python -m trainer.run --task folder --data PATH`: there is no data without a path.
    """

    defaults = Config(epochs=10, batch_size=32, learning_rate=1e-3)

    def head(self, classes: int) -> keras.Model:
        """Features to 512 units to logits."""
        from keras import Sequential, layers

        return Sequential([layers.Dense(512), layers.ReLU(), layers.Dense(classes)])
