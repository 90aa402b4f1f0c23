"""Regression: a number for every picture, or several, from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trainer

if TYPE_CHECKING:
    import keras


class Regression(trainer.Regression):
    """The numbers in the columns of a table: `path,label`, or `path,width,height`.

    `python -m trainer.run --task regression --data labels.csv`: there is no data without a table.
    """

    defaults = trainer.Config(epochs=20, batch_size=32, learning_rate=1e-3)

    def head(self, numbers: int) -> keras.Model:
        """Features to 512 units to the numbers.

        It begins at 0: of random outputs a part would stay in what it predicts for new images.
        """
        from keras import Sequential, layers

        last = layers.Dense(numbers, kernel_initializer="zeros")
        return Sequential([layers.Dense(512), layers.ReLU(), last])
