import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.loop.conftest import BATCH, SIZES, features
from trainer import Trainer, UserError
from trainer.core import signals
from trainer.features.features import StoredFeatures
from trainer.loop.batches import StreamedFeatureBatches
from trainer.loop.history import EpochRecord
from trainer.loop.triggers import EverySpan, EverySteps

STEPS_PER_EPOCH = -(-SIZES["train"] // BATCH)

COMPILED_OR_NOT = pytest.mark.parametrize("jit", ["on", "off"])


class Listener:
    """A hook that keeps the spans it was told of."""

    def __init__(self, steps: int) -> None:
        self.when = EverySteps(steps)
        self.spans = []

    def __call__(self, trainer, span):
        assert trainer.step == span.last
        self.spans.append((span.first, span.last))


@COMPILED_OR_NOT
def test_training_learns(make_trainer, jit):
    trainer = make_trainer(epochs=20, jit=jit)
    before = trainer.evaluate("test")
    trainer.fit()
    after = trainer.evaluate("test")
    assert after["loss"] < before["loss"] / 2
    assert after["accuracy"] > 0.7


def test_fit_ends_after_the_configured_epochs(make_trainer):
    trainer = make_trainer(epochs=3)
    trainer.fit()
    assert (trainer.epoch, trainer.step) == (3, 3 * STEPS_PER_EPOCH)


@COMPILED_OR_NOT
def test_one_seed_gives_the_same_weights_to_the_bit(make_trainer, weights, jit):
    first, second = make_trainer(seed=7, jit=jit), make_trainer(seed=7, jit=jit)
    first.fit()
    second.fit()
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_other_weights(make_trainer, weights):
    assert not np.array_equal(weights(make_trainer(seed=7))[0], weights(make_trainer(seed=8))[0])


@COMPILED_OR_NOT
def test_how_hooks_cut_the_spans_changes_no_weight(make_trainer, weights, jit):
    first, second = make_trainer(jit=jit), make_trainer(jit=jit)
    first.fit()
    second.fit([Listener(3), Listener(1)])
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


class Looking(Trainer):
    """A step that calls Python at every batch, which XLA cannot."""

    def train_step(self, batch):
        values = super().train_step(batch)
        seen = tf.py_function(lambda loss: loss, [values["loss"]], tf.float32)
        return {**values, "loss": tf.ensure_shape(seen, [])}


def test_a_step_that_xla_cannot_compile_trains_as_if_nobody_had_tried(make_trainer, weights):
    tried, untried = make_trainer(Looking, jit="auto"), make_trainer(Looking, jit="off")
    tried.fit()
    untried.fit()
    for one, other in zip(weights(tried), weights(untried), strict=True):
        np.testing.assert_array_equal(one, other)


def test_that_a_step_runs_uncompiled_is_said_once_and_why(make_trainer, capsys):
    make_trainer(Looking).fit([Listener(3)])
    assert capsys.readouterr().out == (
        "the training step runs uncompiled, more slowly: XLA cannot compile tf.py_function\n"
    )


def test_a_step_that_must_be_compiled_and_cannot_be_changes_nothing(make_trainer):
    trainer = make_trainer(Looking, jit="on")
    before = [v.numpy() for v in trainer.model.variables]
    with pytest.raises(UserError, match=r"^--jit on: XLA cannot compile tf.py_function; "):
        trainer.fit()
    for variable, kept in zip(trainer.model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), kept)


def test_a_span_ends_where_a_hook_wants_a_word_and_at_the_end_of_an_epoch(make_trainer):
    hook = Listener(3)
    make_trainer(epochs=2).fit([hook])
    assert STEPS_PER_EPOCH == 7
    assert hook.spans == [(0, 3), (3, 6), (7, 9), (9, 12)]


class Spans:
    """A hook that keeps every span, and cuts none."""

    when = EverySpan()

    def __init__(self) -> None:
        self.bounds = []

    def __call__(self, trainer, span):
        self.bounds.append((span.first, span.last))


@pytest.mark.parametrize(
    ("steps_per_epoch", "bounds"),
    [
        (None, [(0, 7), (7, 14)]),
        (5, [(0, 5), (5, 7), (7, 10)]),
        (10, [(0, 7), (7, 10), (10, 14), (14, 20)]),
    ],
)
def test_a_span_crosses_neither_the_end_of_an_epoch_nor_of_a_pass(
    make_trainer, steps_per_epoch, bounds
):
    hook = Spans()
    make_trainer(epochs=2, steps_per_epoch=steps_per_epoch).fit([hook])
    assert hook.bounds == bounds


@COMPILED_OR_NOT
@pytest.mark.parametrize("steps_per_epoch", [2, 14])
def test_how_long_an_epoch_is_changes_no_weight(make_trainer, weights, steps_per_epoch, jit):
    whole = make_trainer(epochs=2, jit=jit)
    other = make_trainer(epochs=14 // steps_per_epoch, steps_per_epoch=steps_per_epoch, jit=jit)
    whole.fit()
    other.fit()
    for one, another in zip(weights(whole), weights(other), strict=True):
        np.testing.assert_array_equal(one, another)


def test_a_stream_too_goes_on_from_epoch_to_epoch_within_a_pass(make_trainer, weights):
    class Streamed(Trainer):
        def __init__(self, task, config, classes, batches):
            streams = {
                split: StreamedFeatureBatches(
                    StoredFeatures([features(split)]), config.batch_size, config.seed
                )
                for split in batches
            }
            super().__init__(task, config, classes, streams)

    options = {"epochs": 5, "steps_per_epoch": 3, "jit": "off"}
    kept, streamed = make_trainer(**options), make_trainer(Streamed, **options)
    kept.fit()
    streamed.fit()
    for one, another in zip(weights(kept), weights(streamed), strict=True):
        np.testing.assert_array_equal(one, another)


def test_epochs_and_passes_are_counted_apart(make_trainer):
    trainer = make_trainer(epochs=3, steps_per_epoch=5)
    trainer.fit()
    assert (trainer.step, trainer.epoch, trainer.passes) == (15, 3, 2)


class Stopper:
    """A hook that stops training at a step, and gives a reason."""

    def __init__(self, step: int, reason: str) -> None:
        self.when, self.reason = EverySteps(step), reason

    def __call__(self, trainer, span):
        trainer.stop(self.reason)


def test_training_ends_where_a_hook_stops_it(make_trainer):
    trainer = make_trainer()
    trainer.fit([Stopper(3, "enough")])
    assert (trainer.step, trainer.stopped, trainer.finished) == (3, "enough", True)


def test_hooks_after_the_one_that_stops_still_speak(make_trainer):
    listener = Listener(3)
    make_trainer().fit([Stopper(3, "enough"), listener])
    assert listener.spans == [(0, 3)]


def test_the_first_of_two_reasons_is_kept(make_trainer):
    trainer = make_trainer()
    trainer.fit([Stopper(3, "enough"), Stopper(3, "too late")])
    assert trainer.stopped == "enough"


def test_a_training_that_nobody_stops_has_no_reason(make_trainer):
    trainer = make_trainer()
    trainer.fit()
    assert trainer.finished
    assert trainer.stopped is None


def test_hooks_speak_in_their_order(make_trainer):
    said = []

    class Speaker:
        when = EverySteps(STEPS_PER_EPOCH)

        def __init__(self, word):
            self.word = word

        def __call__(self, trainer, span):
            said.append(self.word)

    make_trainer(epochs=1).fit([Speaker("first"), Speaker("second")])
    assert said == ["first", "second"]


def test_evaluation_counts_every_example_once(make_trainer):
    trainer, validation = make_trainer(), features("validation")
    logits = trainer.model(validation.vectors, training=False)
    losses = keras.losses.sparse_categorical_crossentropy(
        validation.labels, logits, from_logits=True
    )
    correct = np.argmax(logits, -1) == validation.labels
    assert trainer.evaluate("validation") == {
        "loss": pytest.approx(np.mean(losses), rel=1e-5),
        "accuracy": pytest.approx(np.mean(correct)),
    }


def test_validation_takes_the_first_batches_alone_where_these_are_given(make_trainer):
    trainer, validation = make_trainer(validation_steps=2), features("validation")
    logits = trainer.model(validation.vectors[: 2 * BATCH], training=False)
    correct = np.argmax(logits, -1) == validation.labels[: 2 * BATCH]
    assert trainer.evaluate("validation")["accuracy"] == pytest.approx(np.mean(correct))


def test_more_batches_than_there_are_are_all(make_trainer):
    limited, whole = make_trainer(validation_steps=99), make_trainer()
    assert limited.evaluate("validation") == whole.evaluate("validation")


def test_the_test_takes_every_batch(make_trainer):
    limited, whole = make_trainer(validation_steps=1), make_trainer()
    assert limited.evaluate("test") == whole.evaluate("test")


def test_what_there_is_to_measure_is_known_before_the_first_step(make_trainer):
    trainer = make_trainer()
    assert trainer.metric_names("train") == ["loss", "gradient_norm", "accuracy"]
    assert trainer.metric_names("validation") == ["loss", "accuracy"]
    assert trainer.step == 0


def test_evaluation_changes_no_variable(make_trainer):
    trainer = make_trainer()
    before = [v.numpy() for v in trainer.model.variables]
    trainer.evaluate("test")
    for variable, kept in zip(trainer.model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), kept)


def test_the_loss_of_a_padded_batch_is_the_mean_over_its_examples(make_trainer):
    trainer = make_trainer()
    logits = tf.random.stateless_normal([4, 3], [1, 2])
    padded = trainer.loss(tf.constant([0, 2, -1, -1]), logits)
    bare = trainer.loss(tf.constant([0, 2]), logits[:2])
    assert float(padded) == pytest.approx(float(bare))


def test_the_loss_takes_shares_of_classes(make_trainer):
    trainer = make_trainer()
    logits = tf.random.stateless_normal([2, 3], [1, 2])
    classes = trainer.loss(tf.constant([0, 2]), logits)
    shares = trainer.loss(tf.one_hot([0, 2], 3), logits)
    assert float(shares) == pytest.approx(float(classes))


def test_the_loss_includes_the_models_own_regularisation(make_trainer):
    class Regularised(Trainer):
        def build_model(self):
            model = keras.Sequential([keras.layers.Dense(3, kernel_regularizer="l2")])
            model(tf.zeros([1, 6]))
            return model

    trainer = make_trainer(Regularised)
    labels, inputs = tf.constant([0, 1]), tf.ones([2, 6])
    kernel = trainer.model.trainable_variables[0]
    task_loss = trainer.task.loss(labels, trainer.model(inputs))
    expected = np.mean(task_loss) + 0.01 * np.sum(np.square(kernel))
    assert float(trainer.loss(labels, trainer.model(inputs))) == pytest.approx(expected, rel=1e-5)


def test_apply_gradients_returns_their_global_norm(make_trainer):
    trainer = make_trainer()
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(v.value) for v in trainer.model.trainable_variables])
    ones = sum(int(np.prod(v.shape)) for v in trainer.model.trainable_variables)
    assert float(trainer.apply_gradients(tape, loss)) == pytest.approx(ones**0.5)


@COMPILED_OR_NOT
def test_a_subclass_steps_its_own_way(make_trainer, jit):
    class Mixup(Trainer):
        """As the design shows it: shares of classes, a bare loss, no metrics."""

        def train_step(self, batch):
            inputs, labels = batch
            shares = 0.7 * tf.one_hot(labels, 3) + 0.3 * tf.one_hot(labels[::-1], 3)
            mixed = 0.7 * inputs + 0.3 * inputs[::-1]
            with tf.GradientTape() as tape:
                loss = self.loss(shares, self.model(mixed, training=True))
            self.apply_gradients(tape, loss)
            return {"loss": loss}

    trainer = make_trainer(Mixup, epochs=20, jit=jit)
    trainer.fit()
    assert trainer.evaluate("test")["accuracy"] > 0.7
    assert list(trainer.train_metrics.result()) == ["loss"]


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
    ("step", "recorded", "stopped", "owes"),
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
def test_an_epoch_that_is_over_without_a_record_owes_it(
    make_trainer, step, recorded, stopped, owes
):
    trainer = make_trainer()
    trainer.step, trainer.stopped = step, stopped
    trainer.history = [record(each) for each in recorded]
    assert trainer.has_unlogged_epoch == owes


def test_an_evaluation_is_broken_off_and_leaves_the_weights(make_trainer, weights):
    trainer = make_trainer(jit="off", ema=0.9)
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
