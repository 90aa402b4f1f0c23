"""Finished runs of every kind of task, each trained once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import Config, ImageClassification, Regression, Run, Task
from trainer.setup.plugins import find_task

RANDOM = np.random.default_rng(0)


class Convolutional(ImageClassification):
    """A network of Keras alone, on the images themselves."""

    def head(self, classes: int) -> keras.Model:
        layers = keras.layers
        convolution = layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(0.1))
        pooled = [layers.BatchNormalization(), layers.GlobalMaxPooling2D(), layers.Dropout(0.5)]
        return keras.Sequential([convolution, *pooled, layers.Dense(classes)])


class Pairs(Regression):
    """Two inputs by name, one number."""

    def data(self) -> dict[str, Any]:
        x = RANDOM.normal(size=[60, 5])
        inputs, number = {"left": x[:, :2], "right": x[:, 2:]}, x.sum(axis=1)
        parts = {"train": slice(40), "validation": slice(40, 50), "test": slice(50, 60)}
        return {
            name: tf.nest.map_structure(lambda array, part=part: array[part], (inputs, number))
            for name, part in parts.items()
        }

    def head(self, numbers: int) -> keras.Model:
        left, right = keras.Input([2], name="left"), keras.Input([3], name="right")
        joined = keras.layers.Concatenate()([left, right])
        return keras.Model({"left": left, "right": right}, keras.layers.Dense(numbers)(joined))


class KindAndSize(Task):
    """A class and a number for each image."""

    label_kind = {"kind": "class", "size": "numbers"}

    def head(self, outputs: dict[str, int]) -> keras.Model:
        features = keras.Input([4])
        dense = {name: keras.layers.Dense(n)(features) for name, n in outputs.items()}
        return keras.Model(features, dense)

    def loss(self, labels: Any, outputs: Any) -> tf.Tensor:
        kind = keras.losses.sparse_categorical_crossentropy(
            labels["kind"], outputs["kind"], from_logits=True
        )
        return kind + keras.losses.mean_squared_error(labels["size"], outputs["size"])

    def predictions(self, outputs: Any) -> Any:
        return {**outputs, "kind": keras.ops.softmax(outputs["kind"])}


@pytest.fixture(scope="package")
def train_once(noise_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Trains for an epoch; the same task and options only once."""
    runs: dict[str, Run] = {}
    folder = tmp_path_factory.mktemp("exported")

    def train(task: Task, **options: Any) -> Run:
        small = {"epochs": 1, "batch_size": 16, "jit": "off", "image_size": 8, "report": False}
        places = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
        if task.data() is None:
            small["data"] = str(noise_folder)
        config = Config(**{**small, **places, **options})
        key = f"{type(task)} {config}"
        if key not in runs:
            runs[key] = trainer.train(task, config)
        return runs[key]

    return train


@pytest.fixture(scope="package")
def frozen(train_once: Callable[..., Run], vector_module: Path) -> Run:
    """A head on a frozen hub module."""
    return train_once(find_task("flowers"), extractor=str(vector_module))


@pytest.fixture(scope="package")
def convolutional(train_once: Callable[..., Run]) -> Run:
    """A network of Keras alone."""
    return train_once(Convolutional(), extractor="none")


@pytest.fixture(scope="package")
def pairs(train_once: Callable[..., Run]) -> Run:
    """A task with inputs of its own."""
    return train_once(Pairs(), extractor="none", image_size=None)


@pytest.fixture(scope="package")
def two_outputs(
    train_once: Callable[..., Run],
    vector_module: Path,
    noise_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """A task with a class and a number."""
    table = tmp_path_factory.mktemp("table") / "labels.csv"
    files = sorted(noise_folder.glob("*/*/*.png"))
    rows = [f"{file},{file.parent.name},{len(file.parent.name)}" for file in files]
    table.write_text("\n".join(["path,kind,size", *rows]) + "\n")
    return train_once(KindAndSize(), extractor=str(vector_module), data=str(table))


@pytest.fixture(scope="package")
def trainable_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub module of 8x8 images with a weight to train, and a loss of it."""
    module = tf.train.Checkpoint()
    module.weights = tf.Variable(tf.reshape(tf.range(12.0), [3, 4]) / 12)
    module.variables = module.trainable_variables = [module.weights]
    module.regularization_losses = [
        tf.function(lambda: tf.reduce_sum(module.weights**2), input_signature=[])
    ]

    @tf.function
    def call(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_mean(inputs, [1, 2]) @ module.weights

    for training in (False, True):
        call.get_concrete_function(tf.TensorSpec([None, 8, 8, 3]), training)
    module.__call__ = call
    folder = tmp_path_factory.mktemp("trainable") / "module"
    tf.saved_model.save(module, str(folder))
    return folder


@pytest.fixture(scope="package")
def finetuned(train_once: Callable[..., Run], trainable_module: Path) -> Run:
    """A hub module that was trained with its head."""
    return train_once(find_task("flowers"), extractor=str(trainable_module), transfer="finetune")
