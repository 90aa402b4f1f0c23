"""Horses or humans: one logit, the binary question."""

from trainer import Config, Task, UserError


class Horses(Task):
    """Horses and humans, 1,283 rendered pictures (TFDS horses_or_humans).

    `python -m trainer.run --task horses --data tfds` reaches 0.99 or more on the test split.
    """

    dataset = "horses_or_humans"
    splits = {"train": "train[:80%]", "validation": "train[80%:]", "test": "test"}
    sample = "horses"
    defaults = Config(epochs=10, batch_size=32, learning_rate=1e-3)

    def head(self, classes):
        """Features to the logit of the second class."""
        from keras import Sequential, layers

        if classes != 2:
            raise UserError(f"horses tells two classes apart; the data has {classes}")
        return Sequential([layers.Dense(512), layers.ReLU(), layers.Dense(1)])

    def loss(self, labels, logits):
        """Binary cross-entropy of each example, [batch]."""
        from keras import losses

        return losses.binary_crossentropy(labels[:, None], logits, from_logits=True)

    def probabilities(self, logits):
        """The probability of the second class, [batch]."""
        from keras import ops

        return ops.sigmoid(logits)[:, 0]

    def metrics(self):
        """Accuracy, and what is asked of a binary classifier."""
        from keras import metrics

        return {
            "accuracy": metrics.BinaryAccuracy(),
            "auc": metrics.AUC(),
            "precision": metrics.Precision(),
            "recall": metrics.Recall(),
        }
