"""Dogs: the breed, among as many as the data has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer import Config, ImageClassification

if TYPE_CHECKING:
    import keras


class Dogs(ImageClassification):
    """120 breeds, 20,580 photos (TFDS stanford_dogs), or a folder of breeds of your own.

    `python -m trainer.run --task dogs --data dogImages` takes `dogImages/{train,valid,test}`.
    """

    dataset = "stanford_dogs"
    splits = {"train": "train[:80%]", "validation": "train[80%:]", "test": "test"}
    sample = "dogs"
    # Many classes that look alike, with few photos of each.
    defaults = Config(epochs=10, batch_size=32, learning_rate=1e-3, label_smoothing=0.1)

    def head(self, classes: int) -> keras.Model:
        """Features to logits: with many classes and few photos of each, one layer."""
        from keras import Sequential, layers

        return Sequential([layers.Dropout(0.2), layers.Dense(classes)])

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """Accuracy, and whether the breed is among the five likeliest."""
        from keras import metrics

        return {
            **super().metrics(),
            "top_5_accuracy": metrics.SparseTopKCategoricalAccuracy(k=5),
        }
