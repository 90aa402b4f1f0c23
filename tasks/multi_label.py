"""Multi-label: any number of labels for every picture, from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, MultiLabelClassification

if TYPE_CHECKING:
    import keras


class MultiLabel(MultiLabelClassification):
    """The labels in a table, separated by `;`: `path,label` and `photos/1.jpg,rose;bee`.

    `python -m trainer.run --task multi-label --data labels.csv`: there is no data without a table.
    """

    name = "multi-label"
    defaults = Config(epochs=20, batch_size=32, learning_rate=1e-3)

    def head(self, labels: int) -> keras.Model:
        """Features to 512 units to a logit for each label."""
        from keras import Sequential, layers

        return Sequential([layers.Dense(512), layers.ReLU(), layers.Dense(labels)])
