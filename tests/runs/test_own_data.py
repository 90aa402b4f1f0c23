"""A task with arrays of its own: `Task.data()`, trained, resumed and refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import (
    Config,
    DataPipeline,
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
        kind, total = (layers.Dense(outputs[name])(inputs) for name in ("kind", "sum"))
        return keras.Model(inputs, {"kind": kind, "sum": total})

    def loss(self, labels, outputs):
        kind = keras.losses.sparse_categorical_crossentropy(
            labels["kind"], outputs["kind"], from_logits=True
        )
        return kind + keras.losses.mean_squared_error(labels["sum"], outputs["sum"])

    def metrics(self):
        return {"kind": {"accuracy": keras.metrics.SparseCategoricalAccuracy()}}


class Codes(Regression):
    """An autoencoder: without labels, its targets are its inputs."""

    def data(self):
        return three_splits(X, ())

    def targets(self, inputs, labels):
        return inputs

    def loss(self, targets, outputs):
        return keras.losses.mean_squared_error(targets, outputs)

    def head(self, outputs):
        return keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(5)])


@pytest.fixture
def train(tmp_path):
    def run(task, hooks=(), trainer_class=None, **options):
        small = {"extractor": "none", "epochs": 30, "batch_size": 32, "learning_rate": 0.01}
        small |= {"jit": "off", "report": False}
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
    run = train(TwoHeads(), learning_rate=0.1)
    assert run.metrics["test"]["kind_accuracy"] > 0.6
    assert run.result["data"]["classes"] == {"kind": ["0", "1", "2"], "sum": ["0"]}
    assert run.metrics["test"]["loss"] < 1


def test_without_labels_the_targets_may_be_the_inputs(train):
    run = train(Codes())
    assert run.metrics["test"]["loss"] < 0.6
    assert run.metrics["test"]["r2"] > 0.4


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
    options = {"epochs": 3, "checkpoint_every": "3steps", "jit": "auto"}
    whole = train(Table(), **options)
    with pytest.raises(KilledError):
        train(Table(), [Kill()], **options)
    [killed] = set((tmp_path / "logs" / "table").iterdir()) - {whole.folder}
    resumed = train(Table(), resume=killed, **options)
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]
    assert resumed.metrics == whole.metrics


def test_a_weight_is_that_of_an_example(train):
    """With a weight of 0 for all examples of the last class none is learned and none counts."""
    weight = (CLASSES < 2).astype(float)
    inputs, labels = {"x": X, "w": weight}, CLASSES
    splits = three_splits(inputs, labels)

    class Weighted(Table):
        def data(self):
            return {name: (x["x"], y, x["w"]) for name, (x, y) in splits.items()}

    class Without(Table):
        classes = ("0", "1", "2")

        def data(self):
            few = {name: x["w"] > 0 for name, (x, _) in splits.items()}
            return {name: (x["x"][few[name]], y[few[name]]) for name, (x, y) in splits.items()}

    options = {"epochs": 1, "batch_size": 200, "learning_rate": 1e-9}  # one step an epoch
    weighted, without = train(Weighted(), **options), train(Without(), **options)
    for name in ("loss", "accuracy"):
        assert weighted.metrics["test"][name] == pytest.approx(without.metrics["test"][name])


# Pipelines.


def pipeline(part):
    """Examples from numbers, shuffled by the epoch and the seed."""

    def make(epoch, seed):
        examples = tf.data.Dataset.from_tensor_slices((X[part], CLASSES[part]))
        return examples if epoch is None else examples.shuffle(1000, seed=seed + epoch)

    return DataPipeline(make, examples=len(X[part]))


class Streamed(Table):
    classes = ("none", "one", "both")

    def data(self):
        parts = {"train": slice(140), "validation": slice(140, 180), "test": slice(180, 220)}
        return {name: pipeline(part) for name, part in parts.items()}


@pytest.mark.slow
def test_a_pipeline_is_learned_from_as_arrays_are(train):
    run = train(Streamed())
    assert run.metrics["test"]["accuracy"] > 0.85
    assert run.result["data"]["source"] == "pipeline"
    assert run.result["data"]["classes"] == ["none", "one", "both"]


def test_every_example_of_a_pipeline_counts_once_in_an_epoch(train):
    train(Streamed(), [seen := SeenExamples()], epochs=2, trainer_class=Summing)
    assert seen.sums == pytest.approx([X[:140].sum()] * 2, rel=1e-4)


class Summing(Trainer):
    """Returns the sum of the inputs that count in a step."""

    def train_step(self, batch):
        inputs, _, sample_weight = batch
        total = tf.reduce_sum(inputs * sample_weight[:, None])
        return {**super().train_step(batch), "total": total}


class SeenExamples(Hook):
    """The sums of all epochs."""

    def __init__(self):
        self.sums, self.now = [], 0.0

    def on_steps_end(self, trainer, output):
        self.now += output.values["total"].sum()

    def on_epoch_end(self, trainer, record):
        self.sums.append(self.now)
        self.now = 0.0


@pytest.mark.slow
def test_killed_and_resumed_a_pipeline_ends_with_the_same_bits(train, tmp_path):
    options = {"epochs": 3, "checkpoint_every": "3steps"}
    whole = train(Streamed(), **options)
    with pytest.raises(KilledError):
        train(Streamed(), [Kill()], **options)
    [killed] = set((tmp_path / "logs" / "streamed").iterdir()) - {whole.folder}
    resumed = train(Streamed(), resume=killed, **options)
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]
    assert resumed.metrics == whole.metrics


def test_a_pipeline_may_give_weights_and_numbers(train):
    class Weighted(Regression):
        def data(self):
            def make(epoch, seed):
                weights = np.arange(40) < 20
                return tf.data.Dataset.from_tensor_slices((X[:40], X[:40, 0], weights))

            return dict.fromkeys(("train", "validation", "test"), DataPipeline(make, 40))

        def head(self, numbers):
            return keras.Sequential([keras.layers.Dense(numbers, kernel_initializer="zeros")])

    run = train(Weighted(), epochs=1, learning_rate=1e-9)
    assert run.metrics["test"]["loss"] == pytest.approx((X[:20, 0] ** 2).mean(), rel=1e-4)


def test_a_dry_run_takes_a_batch_of_each_pipeline(train):
    assert train(Streamed(), dry_run=True).result["data"]["examples"]["train"] == 32


def with_pipeline(make, examples=140):
    data = {**Streamed().data(), "train": DataPipeline(make, examples)}
    return type("Mine", (Streamed,), {"data": lambda self: data})()


def unknown_length(epoch, seed):
    return pipeline(slice(140)).make_dataset(epoch, seed).filter(lambda *_: True)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            with_pipeline(pipeline(slice(139)).make_dataset),
            r"Mine.data\(\)\['train'\] gives 139 examples, and its DataPipeline has examples=140",
        ),
        (
            with_pipeline(unknown_length, 141),
            r"a pipeline of the task's data\(\) gives 140 examples or more .* has examples=141",
        ),
        (
            with_pipeline(unknown_length, 139),
            r"a pipeline of the task's data\(\) gives 140 examples or more .* has examples=139",
        ),
        (
            with_pipeline(lambda epoch, seed: unknown_length(epoch, seed).batch(4)),
            r"gives examples of the shape \(None, 5\), which must be the same for all; pad or crop",
        ),
        (
            with_pipeline(lambda epoch, seed: tf.data.Dataset.range(140)),
            r"Mine.data\(\)\['train'\] must give pairs \(inputs, labels\), and gives TensorSpec",
        ),
        (
            type("Nameless", (Streamed,), {"classes": None})(),
            r"classes are not known before; give Nameless their names, classes = ",
        ),
    ],
)
def test_a_pipeline_that_does_not_fit_is_refused(train, task, message):
    with pytest.raises(UserError, match=message):
        train(task)


def test_a_pipeline_that_does_not_repeat_itself_is_told(train, caplog):
    random = np.random.default_rng()

    def make(epoch, seed):
        return tf.data.Dataset.from_tensor_slices((random.normal(size=[140, 5]), CLASSES[:140]))

    train(with_pipeline(make), epochs=1)
    assert "gives another first example when it is called with the same epoch" in caplog.text


def test_class_weights_need_labels_that_are_known(train):
    with pytest.raises(UserError, match=r"--class-weights: the labels of a pipeline are not known"):
        train(Streamed(), class_weights="balanced")


def test_balanced_sampling_is_not_for_a_pipeline(train):
    with pytest.raises(UserError, match=r"^--sampling: a pipeline has an order of its own; omit"):
        train(Streamed(), sampling="balanced")


def test_arrays_are_sampled_by_their_classes(train):
    run = train(Table(), sampling="balanced")
    assert run.metrics["test"]["accuracy"] > 0.85


def test_balanced_sampling_is_for_one_class_an_example(train):
    with pytest.raises(UserError, match=r"^--sampling is for one class an example"):
        train(
            type("NoLabels", (Table,), {"data": lambda self: three_splits(X, X)})(),
            sampling="balanced",
        )


def test_arrays_that_are_no_images_have_no_views(train):
    run = train(Table(), epochs=1)
    with pytest.raises(UserError, match=r"^--tta augments images, and the data of table are none"):
        run.evaluate(tta=2)
    with pytest.raises(UserError, match=r"^table takes no images"):
        run.predict(X[:2].astype(np.float32), tta=2)


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
        (
            {
                name: (*pair, np.zeros(len(pair[1])))
                for name, pair in three_splits(X, CLASSES).items()
            },
            r"mine: the train split \(train\) has weights of 0 alone; some examples must count",
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
