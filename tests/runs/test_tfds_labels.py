"""A run on a dataset of TFDS with labels of several outputs."""

import keras
import tensorflow as tf

import trainer
from trainer import Config, Task


class KindAndSize(Task):
    """The kind of a picture, and its size."""

    dataset = "mixed"
    splits = None
    label_kind = {"kind": "class", "size": "numbers"}

    def head(self, outputs):
        images = keras.Input([8, 8, 3])
        numbers = keras.layers.Flatten()(images)
        heads = {name: keras.layers.Dense(n, name=name)(numbers) for name, n in outputs.items()}
        return keras.Model(images, heads)

    def loss(self, labels, outputs):
        kind = keras.losses.sparse_categorical_crossentropy(
            labels["kind"], outputs["kind"], from_logits=True
        )
        return kind + tf.reduce_mean(tf.square(labels["size"] - outputs["size"]), -1)

    def metrics(self):
        return {"size": {"mean_absolute_error": keras.metrics.MeanAbsoluteError()}}


def test_several_outputs_are_learned_from_a_dataset(label_datasets, tmp_path):
    folders = {"log_dir": tmp_path / "logs", "cache_dir": tmp_path / "cache"}
    small = {"extractor": "none", "image_size": 8, "epochs": 1, "batch_size": 4, "jit": "off"}
    run = trainer.train(KindAndSize(), Config(**small, **folders, data_dir=label_datasets))
    assert run.result["data"]["classes"] == {"kind": ["rose", "tulip", "daisy"], "size": ["size"]}
    assert run.result["data"]["examples"] == {"train": 8, "validation": 2, "test": 2}
    assert set(run.metrics["test"]) == {"loss", "size_mean_absolute_error"}
