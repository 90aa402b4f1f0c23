import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import BATCH, SIZES, features
from trainer import Config, Hook, ImageClassification, Trainer, UserError
from trainer.core import signals
from trainer.features.features import Features, StoredFeatures
from trainer.loop.array_batches import FeatureBatches, StreamedFeatureBatches
from trainer.loop.history import EpochRecord
from trainer.loop.triggers import EverySteps

STEPS_PER_EPOCH = -(-SIZES["train"] // BATCH)

COMPILED_OR_NOT = pytest.mark.parametrize("jit", ["on", "off"])
COMPILED_IF_SLOW = pytest.mark.parametrize(
    "jit", [pytest.param("on", marks=pytest.mark.slow), "off"]
)
"""For what compilation does not concern by itself: it takes seconds."""


class Recorder(Hook):
    """Records which steps each call had, and the epochs."""

    def __init__(self, steps: int | None = None) -> None:
        if steps is not None:
            self.when = EverySteps(steps)
        self.calls, self.epochs = [], []

    def on_steps_end(self, trainer, output):
        assert trainer.step == output.last
        self.calls.append((output.first, output.last))

    def on_epoch_end(self, trainer, record):
        self.epochs.append((record.epoch, trainer.step))


@COMPILED_OR_NOT
def test_training_learns(make_trainer, jit):
    trainer = make_trainer(epochs=20, jit=jit)
    before = trainer.evaluate("test")
    trainer.fit()
    after = trainer.evaluate("test")
    assert after["loss"] < before["loss"] / 2
    assert after["accuracy"] > 0.7


def test_fit_ends_after_the_configured_epochs(make_traced_trainer):
    trainer = make_traced_trainer(epochs=3)
    trainer.fit()
    assert (trainer.epoch, trainer.step) == (3, 3 * STEPS_PER_EPOCH)


@COMPILED_IF_SLOW
def test_one_seed_gives_the_same_weights_to_the_bit(make_trainer, weights, jit):
    first, second = make_trainer(seed=7, jit=jit), make_trainer(seed=7, jit=jit)
    first.fit()
    second.fit()
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_other_weights(make_trainer, weights):
    assert not np.array_equal(weights(make_trainer(seed=7))[0], weights(make_trainer(seed=8))[0])


@COMPILED_IF_SLOW
def test_how_many_steps_a_call_has_changes_no_weight(make_trainer, weights, jit):
    first, second = make_trainer(jit=jit), make_trainer(jit=jit)
    first.fit()
    second.fit([Recorder(3), Recorder(1)])
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


class Looking(Trainer):
    """A step that calls Python at every batch, which XLA cannot."""

    def train_step(self, batch):
        values = super().train_step(batch)
        seen = tf.py_function(lambda loss: loss, [values["loss"]], tf.float32)
        return {**values, "loss": tf.ensure_shape(seen, [])}


def test_a_step_that_xla_cannot_compile_trains_as_without_xla(make_trainer, weights):
    tried, untried = make_trainer(Looking, jit="auto"), make_trainer(Looking)
    tried.fit()
    untried.fit()
    for one, other in zip(weights(tried), weights(untried), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)  # the update is compiled


def test_that_a_step_runs_uncompiled_is_logged_once_with_the_reason(make_trainer, caplog):
    with caplog.at_level("INFO", "trainer"):
        make_trainer(Looking, jit="auto").fit([Recorder(3)])
    assert [record.getMessage() for record in caplog.records] == [
        "the training step runs uncompiled, more slowly: XLA cannot compile tf.py_function"
    ]


def test_a_step_that_must_be_compiled_and_cannot_be_changes_nothing(make_trainer):
    trainer = make_trainer(Looking, jit="on")
    before = [v.numpy() for v in trainer.model.variables]
    with pytest.raises(UserError, match=r"^--jit on: XLA cannot compile tf.py_function; "):
        trainer.fit()
    for variable, kept in zip(trainer.model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), kept)


def test_a_call_ends_where_a_hook_is_due_and_at_the_end_of_an_epoch(make_traced_trainer):
    hook = Recorder(3)
    make_traced_trainer(epochs=2).fit([hook])
    assert STEPS_PER_EPOCH == 7
    assert hook.calls == [(0, 3), (3, 6), (7, 9), (9, 12)]


def test_hooks_get_the_record_of_every_epoch_whenever_they_are_due_between_steps(
    make_traced_trainer,
):
    hook = Recorder(100)
    make_traced_trainer(epochs=2).fit([hook])
    assert (hook.calls, hook.epochs) == ([], [(1, 7), (2, 14)])


def test_an_epoch_ends_after_every_hook_has_had_its_steps(make_traced_trainer):
    order = []

    class Order(Hook):
        def on_steps_end(self, trainer, output):
            order.append("steps")

        def on_epoch_end(self, trainer, record):
            order.append("epoch")

    make_traced_trainer(epochs=1).fit([Order(), Order()])
    assert order == ["steps", "steps", "epoch", "epoch"]


@pytest.mark.parametrize(
    ("steps_per_epoch", "bounds"),
    [
        (None, [(0, 7), (7, 14)]),
        (5, [(0, 5), (5, 7), (7, 10)]),
        (10, [(0, 7), (7, 10), (10, 14), (14, 20)]),
    ],
)
def test_a_call_crosses_neither_the_end_of_an_epoch_nor_of_the_data(
    make_traced_trainer, steps_per_epoch, bounds
):
    hook = Recorder()
    make_traced_trainer(epochs=2, steps_per_epoch=steps_per_epoch).fit([hook])
    assert hook.calls == bounds


@COMPILED_IF_SLOW
@pytest.mark.parametrize("steps_per_epoch", [2, 14])
def test_how_long_an_epoch_is_changes_no_weight(make_trainer, weights, steps_per_epoch, jit):
    whole = make_trainer(epochs=2, jit=jit)
    other = make_trainer(epochs=14 // steps_per_epoch, steps_per_epoch=steps_per_epoch, jit=jit)
    whole.fit()
    other.fit()
    for one, another in zip(weights(whole), weights(other), strict=True):
        np.testing.assert_array_equal(one, another)


def test_streamed_features_too_continue_from_epoch_to_epoch_within_the_data(make_trainer, weights):
    class Streamed(Trainer):
        def __init__(self, task, config, classes, batches):
            streams = {
                split: StreamedFeatureBatches(
                    StoredFeatures([features(split)]), config.batch_size, config.seed
                )
                for split in batches
            }
            super().__init__(task, config, classes, streams)

    options = {"epochs": 5, "steps_per_epoch": 3}
    kept, streamed = make_trainer(**options), make_trainer(Streamed, **options)
    kept.fit()
    streamed.fit()
    for one, another in zip(weights(kept), weights(streamed), strict=True):
        np.testing.assert_array_equal(one, another)


def test_epochs_and_data_epochs_are_counted_apart(make_traced_trainer):
    trainer = make_traced_trainer(epochs=3, steps_per_epoch=5)
    trainer.fit()
    assert (trainer.step, trainer.epoch, trainer.data_epoch) == (15, 3, 2)


class Stopper(Hook):
    """Stops training at a step, for a reason."""

    def __init__(self, step: int, reason: str) -> None:
        self.when, self.reason = EverySteps(step), reason

    def on_steps_end(self, trainer, output):
        trainer.stop(self.reason)


def test_training_ends_where_a_hook_stops_it(make_traced_trainer):
    trainer = make_traced_trainer()
    trainer.fit([Stopper(3, "enough")])
    assert (trainer.step, trainer.stopped, trainer.finished) == (3, "enough", True)


def test_hooks_behind_the_one_that_stops_are_called_too(make_traced_trainer):
    recorder = Recorder(3)
    make_traced_trainer().fit([Stopper(3, "enough"), recorder])
    assert (recorder.calls, recorder.epochs) == ([(0, 3)], [(1, 3)])


def test_the_first_of_two_reasons_is_kept(make_traced_trainer):
    trainer = make_traced_trainer()
    trainer.fit([Stopper(3, "enough"), Stopper(3, "too late")])
    assert trainer.stopped == "enough"


def test_a_training_that_nobody_stops_has_no_reason(make_traced_trainer):
    trainer = make_traced_trainer()
    trainer.fit()
    assert trainer.finished
    assert trainer.stopped is None


def test_hooks_are_called_in_their_order(make_traced_trainer):
    called = []

    class Named(Hook):
        def __init__(self, name):
            self.name = name

        def on_steps_end(self, trainer, output):
            called.append(self.name)

    make_traced_trainer(epochs=1).fit([Named("first"), Named("second")])
    assert called == ["first", "second"]


def test_evaluation_counts_every_example_once(make_traced_trainer):
    trainer, validation = make_traced_trainer(), features("validation")
    logits = trainer.model(validation.vectors, training=False)
    losses = keras.losses.sparse_categorical_crossentropy(
        validation.labels, logits, from_logits=True
    )
    correct = np.argmax(logits, -1) == validation.labels
    assert trainer.evaluate("validation") == {
        "loss": pytest.approx(np.mean(losses), rel=1e-5),
        "accuracy": pytest.approx(np.mean(correct)),
    }


def test_validation_takes_the_first_batches_alone_where_these_are_given(make_traced_trainer):
    trainer, validation = make_traced_trainer(validation_steps=2), features("validation")
    logits = trainer.model(validation.vectors[: 2 * BATCH], training=False)
    correct = np.argmax(logits, -1) == validation.labels[: 2 * BATCH]
    assert trainer.evaluate("validation")["accuracy"] == pytest.approx(np.mean(correct))


def test_more_batches_than_there_are_are_all(make_traced_trainer):
    limited, whole = make_traced_trainer(validation_steps=99), make_traced_trainer()
    assert limited.evaluate("validation") == whole.evaluate("validation")


def test_the_test_takes_every_batch(make_traced_trainer):
    limited, whole = make_traced_trainer(validation_steps=1), make_traced_trainer()
    assert limited.evaluate("test") == whole.evaluate("test")


class KeepNorms(Hook):
    """Collects the gradient norm of every step."""

    def __init__(self) -> None:
        self.norms = []

    def on_steps_end(self, trainer, output):
        self.norms.extend(output.values["gradient_norm"])


@COMPILED_IF_SLOW
def test_the_gradient_norm_is_computed_at_logged_steps_alone_and_changes_no_weight(
    make_trainer, weights, jit
):
    every, some = (make_trainer(epochs=2, log_every=n, jit=jit) for n in (1, 3))
    of_every, of_some = KeepNorms(), KeepNorms()
    every.fit([of_every])
    some.fit([of_some])
    done = np.arange(1, 2 * STEPS_PER_EPOCH + 1)
    is_logged = (done % 3 == 0) | (done % STEPS_PER_EPOCH == 0)
    np.testing.assert_array_equal(np.isnan(of_some.norms), ~is_logged)
    logged = np.array(of_every.norms)[is_logged]
    np.testing.assert_allclose(np.array(of_some.norms)[is_logged], logged, rtol=1e-6)
    for one, other in zip(weights(every), weights(some), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_gradient_norm_of_an_epoch_is_the_mean_of_its_logged_steps(make_trainer):
    trainer, kept = make_trainer(epochs=1, log_every=3), KeepNorms()
    trainer.fit([kept])
    # The batches weigh as many examples as they have, the last one fewer.
    counts = np.full(STEPS_PER_EPOCH, BATCH)
    counts[-1] = SIZES["train"] - BATCH * (STEPS_PER_EPOCH - 1)
    norms = np.array(kept.norms)
    logged = ~np.isnan(norms)
    mean = np.average(norms[logged], weights=counts[logged])
    [record] = trainer.history
    assert record.metrics["train"]["gradient_norm"] == pytest.approx(mean, rel=1e-5)


class ReturnsNaN(Trainer):
    """At the first step, which is not logged, under a name of its own."""

    def train_step(self, batch):
        value = tf.where(self.step == 0, float("nan"), 1.0)
        return {**super().train_step(batch), "own": value}


def test_a_value_of_ones_own_that_is_nan_is_in_the_mean_of_its_epoch(make_trainer):
    trainer = make_trainer(ReturnsNaN, epochs=1, log_every=3)
    trainer.fit()
    assert np.isnan(trainer.history[0].metrics["train"]["own"])


def test_the_names_of_all_metrics_are_there_before_the_first_step(make_traced_trainer):
    trainer = make_traced_trainer()
    trainer.build()
    assert list(trainer.train_metrics.result()) == ["loss", "gradient_norm", "accuracy"]
    assert list(trainer.eval_metrics.result()) == ["loss", "accuracy"]
    assert trainer.step == 0


def test_evaluation_changes_no_variable(make_traced_trainer):
    trainer = make_traced_trainer()
    before = [v.numpy() for v in trainer.model.variables]
    trainer.evaluate("test")
    for variable, kept in zip(trainer.model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), kept)


# What steps are made of.


ALL = tf.ones([2])


def test_rows_of_weight_0_do_not_count_in_the_loss(make_traced_trainer):
    trainer = make_traced_trainer()
    logits = tf.random.stateless_normal([4, 3], [1, 2])
    filled = trainer.compute_loss(tf.constant([0, 2, 1, 0]), logits, tf.constant([1.0, 1, 0, 0]))
    bare = trainer.compute_loss(tf.constant([0, 2]), logits[:2], ALL)
    assert float(filled) == pytest.approx(float(bare))


def test_the_loss_is_the_mean_by_weight_however_small_the_weights(make_traced_trainer):
    trainer = make_traced_trainer()
    logits = tf.random.stateless_normal([2, 3], [1, 2])
    small = trainer.compute_loss(tf.constant([0, 2]), logits, 0.01 * ALL)
    assert float(small) == pytest.approx(
        float(trainer.compute_loss(tf.constant([0, 2]), logits, ALL))
    )


def test_the_loss_of_no_example_is_0(make_traced_trainer):
    loss = make_traced_trainer().compute_loss(tf.constant([0, 2]), tf.ones([2, 3]), 0 * ALL)
    assert float(loss) == 0.0


def test_the_loss_takes_soft_labels(make_traced_trainer):
    trainer = make_traced_trainer()
    logits = tf.random.stateless_normal([2, 3], [1, 2])
    classes = trainer.compute_loss(tf.constant([0, 2]), logits, ALL)
    soft = trainer.compute_loss(tf.one_hot([0, 2], 3), logits, ALL)
    assert float(soft) == pytest.approx(float(classes))


def test_the_loss_includes_the_models_own_regularization(make_traced_trainer):
    class Regularized(Trainer):
        def build_model(self):
            return keras.Sequential([keras.layers.Dense(3, kernel_regularizer="l2")])

    trainer = make_traced_trainer(Regularized)
    labels, inputs = tf.constant([0, 1]), tf.ones([2, 6])
    kernel = trainer.model.trainable_variables[0]
    task_loss = trainer.task.loss(labels, trainer.model(inputs))
    expected = np.mean(task_loss) + 0.01 * np.sum(np.square(kernel))
    loss = trainer.compute_loss(labels, trainer.model(inputs), ALL)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_apply_gradients_returns_their_global_norm(make_traced_trainer):
    trainer = make_traced_trainer()
    gradients = [tf.ones(v.shape) for v in trainer.model.trainable_variables]
    parameters = sum(int(np.prod(gradient.shape)) for gradient in gradients)
    assert float(trainer.apply_gradients(gradients)) == pytest.approx(parameters**0.5)


# Subclasses.


class Mixup(Trainer):
    """The README's."""

    def train_step(self, batch):
        inputs, labels, sample_weight = batch
        labels = tf.one_hot(labels, len(self.classes))
        inputs, labels = (0.8 * x + 0.2 * tf.reverse(x, [0]) for x in (inputs, labels))
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        gradient_norm = self.apply_gradients(tape.gradient(loss, self.model.trainable_variables))
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "gradient_norm": gradient_norm}


@COMPILED_OR_NOT
def test_a_subclass_steps_its_own_way(make_trainer, jit):
    trainer = make_trainer(Mixup, epochs=20, jit=jit)
    trainer.fit()
    assert trainer.evaluate("test")["accuracy"] > 0.7
    assert list(trainer.train_metrics.result()) == ["loss", "gradient_norm", "accuracy"]


def test_mixed_with_a_last_batch_that_is_filled_up_only_its_examples_count(make_trainer):
    """Of the last of seven batches two rows are examples and six fill it up, at weight 0."""
    trainer = make_trainer(Mixup, learning_rate=0.0)
    train = trainer.batches["train"]
    batch, _ = train.get_next(train.make_iterator(epoch=0), tf.constant(6))
    inputs, labels, sample_weight = batch
    assert sample_weight.numpy().tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    soft = tf.one_hot(labels, 3)
    mixed = 0.8 * soft + 0.2 * tf.reverse(soft, [0])
    logits = trainer.model(0.8 * inputs + 0.2 * tf.reverse(inputs, [0]))
    losses = keras.losses.categorical_crossentropy(mixed, logits, from_logits=True)

    loss = trainer.compute_loss(mixed, logits, sample_weight)
    trainer.update_metrics(mixed, logits, sample_weight)

    assert float(loss) == pytest.approx(np.mean(losses[:2]), rel=1e-6)
    correct = np.argmax(logits, -1)[:2] == np.argmax(mixed, -1)[:2]
    assert trainer.train_metrics.result()["accuracy"] == pytest.approx(np.mean(correct))


@pytest.mark.parametrize("kind", ["train", "eval"])
def test_a_step_that_never_updates_the_metrics_is_an_error_that_says_what_to_add(
    make_trainer, kind
):
    def bare(self, batch):
        inputs, labels, sample_weight = batch
        return {"loss": self.compute_loss(labels, self.model(inputs), sample_weight)}

    bare.__name__ = f"{kind}_step"
    forgetful = type("Forgetful", (Trainer,), {f"{kind}_step": bare})
    with pytest.raises(TypeError, match=r"never updates accuracy; add self\.update_metrics"):
        make_trainer(forgetful).fit()


@pytest.mark.parametrize("kind", ["train", "eval"])
def test_a_value_of_a_step_with_the_name_of_a_metric_is_an_error(make_trainer, kind):
    def clashing(self, batch):
        return {**getattr(Trainer, f"{kind}_step")(self, batch), "accuracy": tf.constant(1.0)}

    clashing.__name__ = f"{kind}_step"
    trainer_class = type("Clashing", (Trainer,), {f"{kind}_step": clashing})
    with pytest.raises(TypeError, match=r"returns 'accuracy', which is the name of a metric"):
        make_trainer(trainer_class).build()


def test_a_task_without_metrics_needs_no_update(make_trainer):
    class Bare(Trainer):
        def __init__(self, task, *arguments):
            task.metrics = dict
            super().__init__(task, *arguments)

        def train_step(self, batch):
            inputs, labels, sample_weight = batch
            return {"loss": self.compute_loss(labels, self.model(inputs), sample_weight)}

    trainer = make_trainer(Bare)
    trainer.fit()
    assert list(trainer.train_metrics.result()) == ["loss"]


class Pairs(FeatureBatches):
    """Inputs and labels that are structures of tensors."""

    def __init__(self, split, batch_size):
        super().__init__(features(split), batch_size, seed=0)
        (inputs, labels, weight), super_next = self.batch_spec, super().get_next
        self.batch_spec = ({"a": inputs, "b": inputs}, (labels, inputs), weight)
        self._super_next = super_next

    def get_next(self, iterator, step):
        (inputs, labels, weight), indices = self._super_next(iterator, step)
        return ({"a": inputs, "b": -inputs}, (labels, inputs), weight), indices


@COMPILED_IF_SLOW
def test_inputs_and_labels_may_be_any_structure_of_tensors(make_trainer, jit):
    class Sum(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs["a"] + 0.5 * inputs["b"])

    class Structured(Trainer):
        def __init__(self, task, config, classes, batches):
            task.loss = lambda labels, logits: type(task).loss(task, labels[0], logits)
            task.hard_labels = lambda labels: labels[0]
            super().__init__(task, config, classes, {s: Pairs(s, BATCH) for s in SIZES})

        def build_model(self):
            return Sum()

    trainer = make_trainer(Structured, epochs=20, jit=jit)
    trainer.fit()
    assert trainer.evaluate("test")["accuracy"] > 0.7


def test_a_subclass_evaluates_its_own_way(make_trainer):
    class Margin(Trainer):
        def eval_step(self, batch):
            return {**super().eval_step(batch), "margin": tf.constant(0.5)}

    assert make_trainer(Margin).evaluate("test")["margin"] == 0.5


def test_a_subclass_brings_its_own_optimizer(make_trainer):
    class Plain(Trainer):
        def build_optimizer(self):
            return keras.optimizers.SGD(0.5)

    assert make_trainer(Plain).learning_rate == 0.5


# A run that was interrupted.


def record(step):
    return EpochRecord(-(-step // STEPS_PER_EPOCH), step, 0.01, {})


@pytest.mark.parametrize(
    ("step", "recorded", "stopped", "unlogged"),
    [
        (0, [], None, False),
        (3, [], None, False),
        (7, [], None, True),
        (7, [7], None, False),
        (10, [7], None, False),
        (14, [7], None, True),
        (14, [7, 14], None, False),
        (3, [], "--max-minutes 1", True),
        (3, [3], "--max-minutes 1", False),
        (10, [7], "--max-minutes 1", True),
    ],
)
def test_an_epoch_that_is_over_without_a_record_is_unlogged(
    make_traced_trainer, step, recorded, stopped, unlogged
):
    trainer = make_traced_trainer()
    trainer.step, trainer.stopped = step, stopped
    trainer.history = [record(each) for each in recorded]
    assert trainer.has_unlogged_epoch == unlogged


def test_an_evaluation_that_is_interrupted_leaves_the_weights(make_traced_trainer, weights):
    trainer = make_traced_trainer(ema=0.9)
    trainer.fit()
    own, batches = weights(trainer), trainer.batches["test"]
    taken = batches.examples_in

    def ask(first, steps):
        signal.raise_signal(signal.SIGTERM)
        return taken(first, steps)

    batches.examples_in = ask
    with pytest.raises(signals.Interrupted), signals.handle_signals(), signals.defer_signals():
        trainer.evaluate("test")
    for one, other in zip(own, weights(trainer), strict=True):
        np.testing.assert_array_equal(one, other)


# The model below and above.


class Head(ImageClassification):
    def head(self, classes):
        return keras.Sequential([keras.layers.Dense(classes)])


def model_over(inputs, extractor=None, **options):
    """The model of a trainer whose inputs have a shape."""
    rows = np.zeros([8, *inputs], np.float32)
    batches = FeatureBatches(Features(rows, np.zeros(8, np.int32)), 4, seed=0)
    splits = dict.fromkeys(SIZES, batches)
    return Trainer(Head(), Config(**options), ["a", "b", "c"], splits, extractor).model


def test_on_features_the_model_is_the_head():
    assert [type(layer) for layer in model_over([5]).layers] == [keras.layers.Dense]


def test_on_an_extractor_the_head_is_last():
    extractor = keras.Sequential([keras.layers.Conv2D(4, 3), keras.layers.Flatten()])
    model = model_over([8, 8, 3], extractor)
    assert model.layers[0] is extractor
    assert len(model.layers) == 2


@pytest.mark.parametrize(("head", "width"), [("flatten", 5 * 6 * 7), ("avg", 7)])
def test_a_head_of_maps_flattens_or_averages_them(head, width):
    model = model_over([5, 6, 7], head=head)
    assert model.layers[-1].layers[0].kernel.shape[0] == width
