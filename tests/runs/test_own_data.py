"""A task with arrays of its own: `Task.data()`, trained, resumed and refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import (
    Config,
    EverySteps,
    Hook,
    ImageClassification,
    Regression,
    Task,
    Trainer,
    UserError,
)
from trainer.data.readers.own_data import own_data_source
from trainer.loop.array_batches import ArrayBatches

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=[220, 5])
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def three_splits(inputs, labels):
    """The first 140, then 40, 40."""
    parts = {"train": slice(140), "validation": slice(140, 180), "test": slice(180, 220)}
    return {
        name: tf.nest.map_structure(lambda array, part=part: array[part], (inputs, labels))
        for name, part in parts.items()
    }


class Table(ImageClassification):
    def data(self):
        return three_splits(X, CLASSES)

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential(
            [layers.Dense(32, "relu"), layers.Dropout(0.1), layers.Dense(classes)]
        )


class Pairs(Regression):
    """Two inputs by name, one number."""

    def data(self):
        return three_splits({"left": X[:, :2], "right": X[:, 2:]}, X.sum(axis=1))

    def head(self, numbers):
        layers = keras.layers
        left, right = keras.Input([2], name="left"), keras.Input([3], name="right")
        joined = layers.Concatenate()([left, right])
        return keras.Model({"left": left, "right": right}, layers.Dense(numbers)(joined))


class TwoHeads(Task):
    """A class and a number of each example."""

    best = "max kind_accuracy"

    def data(self):
        return three_splits(X, {"kind": CLASSES, "sum": X.sum(axis=1)})

    def head(self, outputs):
        inputs = keras.Input([5])
        layers = keras.layers
        kind, total = layers.Dense(3)(inputs), layers.Dense(1)(inputs)
        return keras.Model(inputs, {"kind": kind, "sum": total})

    def loss(self, labels, outputs):
        kind = keras.losses.sparse_categorical_crossentropy(
            labels["kind"], outputs["kind"], from_logits=True
        )
        return kind + tf.square(labels["sum"] - outputs["sum"][:, 0])


class KindAccuracy(keras.metrics.SparseCategoricalAccuracy):
    def update_state(self, labels, outputs, sample_weight=None):
        return super().update_state(labels["kind"], outputs["kind"], sample_weight)


class TwoHeadsMeasured(TwoHeads):
    def metrics(self):
        return {"kind_accuracy": KindAccuracy()}


class Codes(Task):
    """An autoencoder: without labels."""

    def data(self):
        return three_splits(X, ())

    def head(self, outputs):
        return keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(5)])


class CodesTrainer(Trainer):
    def compute_loss(self, labels, logits, sample_weight, training=True):
        losses = tf.reduce_mean(tf.square(labels - logits), -1) * sample_weight
        return tf.reduce_sum(losses) / tf.reduce_sum(sample_weight)

    def train_step(self, batch):
        inputs, _, sample_weight = batch
        return super().train_step((inputs, inputs, sample_weight))

    def eval_step(self, batch):
        inputs, _, sample_weight = batch
        return super().eval_step((inputs, inputs, sample_weight))


@pytest.fixture
def train(tmp_path):
    def run(task, hooks=(), trainer_class=None, **options):
        small = {"extractor": "none", "epochs": 30, "batch_size": 32, "learning_rate": 0.01}
        folders = {"log_dir": tmp_path / "logs", "cache_dir": tmp_path / "cache"}
        config = Config(**{**small, **folders, **options})
        return trainer.train(task, config, hooks=hooks, trainer_class=trainer_class)

    return run


def test_classes_are_learned_from_arrays(train):
    run = train(Table())
    assert run.metrics["test"]["accuracy"] > 0.85
    assert run.result["data"]["classes"] == ["0", "1", "2"]
    assert run.result["data"]["examples"] == {"train": 140, "validation": 40, "test": 40}
    assert run.result["data"]["source"] == "arrays"


def test_inputs_may_have_names_and_a_label_be_a_number(train):
    assert train(Pairs()).metrics["test"]["r2"] > 0.9


def test_several_outputs_have_labels_of_the_same_structure(train):
    run = train(TwoHeadsMeasured(), learning_rate=0.1)
    assert run.metrics["test"]["kind_accuracy"] > 0.6
    assert run.metrics["test"]["loss"] < 1


def test_there_may_be_no_labels(train):
    run = train(Codes(), trainer_class=CodesTrainer)
    assert run.metrics["test"]["loss"] < 0.6


def test_a_dry_run_takes_a_batch_of_each_split(train):
    assert train(Table(), dry_run=True).result["data"]["examples"]["train"] == 32


def test_a_loaded_run_has_its_model(train):
    run = train(Table(), epochs=1)
    loaded = trainer.load(run.folder, Table())
    inputs = X[:3].astype(np.float32)
    np.testing.assert_array_equal(loaded.model(inputs), run.model(inputs))


class KilledError(Exception):
    """Stands for SIGKILL."""


class Kill(Hook):
    when = EverySteps(7)

    def on_steps_end(self, trainer, output):
        raise KilledError


def test_killed_and_resumed_it_ends_with_the_same_bits(train, tmp_path):
    options = {"epochs": 3, "checkpoint_every": "3steps"}
    whole = train(Table(), **options)
    with pytest.raises(KilledError):
        train(Table(), [Kill()], **options)
    [killed] = set((tmp_path / "logs" / "table").iterdir()) - {whole.folder}
    resumed = train(Table(), resume=killed, **options)
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]
    assert resumed.metrics == whole.metrics


# Mistakes.


def with_data(data):
    return type("Mine", (Table,), {"data": lambda self: data})()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"train": (X, CLASSES)}, r"Mine.data\(\) has the splits train; it must have train, val"),
        (
            {**three_splits(X, CLASSES), "test": (X, CLASSES[:5])},
            r"Mine.data\(\)\['test'\] has arrays of the shapes \(220, 5\), \(5,\); the first dim",
        ),
        (three_splits(X, CLASSES - 1), r"Mine.data\(\)\['train'\] has the class -1; there are"),
        ({**three_splits(X, CLASSES), "test": X}, r"Mine.data\(\)\['test'\] must be \(inputs, lab"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(train, data, message):
    with pytest.raises(UserError, match=message):
        train(with_data(data))


@pytest.mark.parametrize(
    ("options", "beginning"),
    [
        ({"extractor": "efficientnet_lite0"}, "--extractor: the data of table are its own"),
        ({"mixup": 0.2}, "--mixup: the data of table are its own, not images; omit it"),
        ({"augment": "light"}, "--augment: the data of table are its own, not images; omit it"),
    ],
)
def test_options_of_images_are_refused(train, options, beginning):
    with pytest.raises(UserError, match=f"^{beginning}"):
        train(Table(), **options)


def test_images_in_arrays_are_not_compiled_on_a_processor():
    """Their convolutions would take many times as long."""
    images = ArrayBatches(np.zeros([4, 8, 8, 1], np.float32), np.zeros([4], np.int32), 2, 0)
    rows = ArrayBatches(np.zeros([4, 8], np.float32), np.zeros([4], np.int32), 2, 0)
    assert (images.jit_on_cpu, rows.jit_on_cpu) == (False, True)


def test_integers_that_need_more_bits_keep_them():
    numbers = np.array([2**40, 1], np.int64)
    data = {name: (numbers, np.array([0, 1])) for name in ("train", "validation", "test")}
    arrays = own_data_source(with_data(data), data).own_data["train"]
    assert arrays.inputs.tolist() == [2**40, 1]
    assert arrays.labels.dtype == np.int32
