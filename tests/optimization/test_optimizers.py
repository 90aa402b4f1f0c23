"""Optimizers: their names, clipping, accumulation, and what a checkpoint keeps of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import SIZES, WithoutDropout
from trainer import Config, UserError
from trainer.checkpoints.store import newest_checkpoint
from trainer.loop.trainer import Hook
from trainer.loop.triggers import EverySteps
from trainer.optimization.optimizers import make_optimizer, optimizer_class, optimizer_classes

NAMED = {"sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam", "lion"}
STEPS_PER_EPOCH = 10


class SetLearningRate(Hook):
    when = EverySteps(1)

    def on_steps_end(self, trainer, output):
        trainer.optimizer.learning_rate.assign(0.5)


def make(**options: object) -> keras.optimizers.Optimizer:
    return make_optimizer(Config(**options), STEPS_PER_EPOCH)


def update(gradients: list[list[float]], **options: object) -> np.ndarray:
    """Two zeros after one step of SGD for each gradient, with learning rate 1."""
    variable = keras.Variable([0.0, 0.0])
    optimizer = make(optimizer="sgd", learning_rate=1.0, **options)
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
    return variable.numpy()


def test_the_usual_optimizers_are_known():
    assert set(optimizer_classes()) >= NAMED


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "sgd" else [pytest.mark.slow])
        for name in optimizer_classes()
    ],
)
def test_every_optimizer_trains_compiled(make_trainer, weights, name):
    trainer = make_trainer(optimizer=name, jit="on")
    before = weights(trainer)
    trainer.fit()
    assert all(np.isfinite(w).all() for w in weights(trainer))
    assert all(not np.array_equal(a, b) for a, b in zip(before, weights(trainer), strict=True))


@pytest.mark.parametrize("name", ["AdamW", "ADAMW", "adamw"])
def test_a_name_may_be_in_upper_or_lower_case(name):
    assert isinstance(make(optimizer=name), keras.optimizers.AdamW)


@pytest.mark.parametrize("name", ["adamm", "Adaam"])
def test_a_mistyped_name_is_answered_with_the_nearest(name):
    with pytest.raises(UserError) as error:
        optimizer_class(Config(optimizer=name))
    assert str(error.value).startswith(
        f"--optimizer {name} is unknown: did you mean adam? There are adadelta, "
    )


@pytest.mark.parametrize("name", ["optimizer", "lossscaleoptimizer", "multioptimizer", "get", ""])
def test_wrappers_and_other_names_of_keras_optimizers_are_unknown(name):
    with pytest.raises(UserError, match=r"^--optimizer .* is unknown: "):
        optimizer_class(Config(optimizer=name))


@pytest.mark.parametrize("name", ["sgd", "RMSprop"])
def test_momentum_is_passed_on(name):
    assert make(optimizer=name, momentum=0.75).momentum == 0.75


def test_momentum_is_refused_for_an_optimizer_without_it():
    with pytest.raises(UserError) as error:
        optimizer_class(Config(optimizer="adam", momentum=0.9))
    assert str(error.value) == (
        "--momentum: adam has none; omit it, or choose --optimizer muon or rmsprop or sgd"
    )


def test_options_not_given_keep_the_defaults_of_keras():
    ours, own = make(optimizer="adamw").get_config(), keras.optimizers.AdamW().get_config()
    assert {**ours, "name": ""} == {**own, "name": "", "learning_rate": pytest.approx(0.001)}


def test_weight_decay_is_decoupled_from_the_gradient():
    variable = keras.Variable([1.0])
    make(optimizer="adamw", learning_rate=0.1, weight_decay=0.5).apply(
        [tf.constant([0.0])], [variable]
    )
    np.testing.assert_allclose(variable, [1 - 0.1 * 0.5], rtol=1e-6)


def test_a_constant_learning_rate_can_be_assigned(make_trainer):
    trainer = make_trainer()
    trainer.fit([SetLearningRate()])
    assert trainer.learning_rate == 0.5


def test_the_trainers_learning_rate_is_the_schedules_present_value(make_trainer):
    trainer = make_trainer(schedule="cosine", warmup="50%", learning_rate=0.1, epochs=2)
    rates = []

    class RecordLearningRate(Hook):
        when = EverySteps(7)

        def on_steps_end(self, trainer, output):
            rates.append(trainer.learning_rate)

    rates.append(trainer.learning_rate)
    trainer.fit([RecordLearningRate()])
    assert rates == pytest.approx([0.0, 0.1, 0.0], abs=1e-8)


# Clipping.


def test_gradients_are_clipped_to_their_global_norm():
    np.testing.assert_allclose(update([[3.0, 4.0]], clip_norm=1.0), [-0.6, -0.8], rtol=1e-6)


def test_smaller_gradients_are_not_changed():
    np.testing.assert_allclose(update([[0.3, 0.4]], clip_norm=1.0), [-0.3, -0.4], rtol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_no_update_of_a_training_exceeds_the_norm(make_trainer, weights, precision):
    trainer = make_trainer(
        optimizer="sgd", learning_rate=1.0, clip_norm=0.01, precision=precision, epochs=1
    )
    lengths, before = [], weights(trainer)

    class MeasureUpdates(Hook):
        when = EverySteps(1)

        def on_steps_end(self, trainer, output):
            nonlocal before
            after = weights(trainer)
            changes = [np.sum((a - b) ** 2) for a, b in zip(after, before, strict=True)]
            lengths.append(np.sqrt(sum(changes)))
            before = after

    trainer.fit([MeasureUpdates()])
    assert lengths == pytest.approx([0.01] * len(lengths), rel=1e-3)


# Accumulation.


def test_accumulated_gradients_are_averaged():
    np.testing.assert_allclose(update([[1.0, 0.0]], accumulate=2), [0, 0])
    np.testing.assert_allclose(update([[1.0, 0.0], [3.0, 2.0]], accumulate=2), [-2, -1])


def test_the_averaged_gradient_is_clipped_and_not_its_parts():
    clipped = update([[2.0, 0.0], [0.0, 0.2]], accumulate=2, clip_norm=1.0)
    np.testing.assert_allclose(clipped, np.array([-1.0, -0.1]) / np.hypot(1.0, 0.1), rtol=1e-6)


@pytest.mark.parametrize("jit", [pytest.param("on", marks=pytest.mark.slow), "off"])
@pytest.mark.parametrize("name", ["adam", "nadam", "sgd"])
def test_two_half_batches_update_as_one_whole_batch(make_trainer, weights, name, jit):
    options = {"optimizer": name, "jit": jit, "epochs": 3}
    whole = make_trainer(WithoutDropout, batch_size=SIZES["train"], **options)
    halves = make_trainer(WithoutDropout, batch_size=SIZES["train"] // 2, accumulate=2, **options)
    whole.fit()
    halves.fit()
    for one, other in zip(weights(whole), weights(halves), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_accumulating_more_steps_than_the_training_has_is_refused():
    with pytest.raises(
        UserError, match=r"^--accumulate 11 is more steps than the training has \(10\)"
    ):
        make(epochs=1, accumulate=11)


# Checkpoints.


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "nadam"},
        pytest.param({"ema": 0.9}, marks=pytest.mark.slow),
        pytest.param({"accumulate": 4}, marks=pytest.mark.slow),
        {"schedule": "cosine", "warmup": "2steps"},
        pytest.param(
            {"clip_norm": 0.5, "optimizer": "sgd", "momentum": 0.9}, marks=pytest.mark.slow
        ),
        {"precision": "mixed_float16", "ema": 0.9, "accumulate": 3},
    ],
    ids=str,
)
def test_training_resumed_from_a_checkpoint_equals_uninterrupted_training(
    make_trainer, state_of, weights, tmp_path, options
):
    whole = make_trainer(**options)
    state = state_of(whole)

    class SaveAtTen(Hook):
        when = EverySteps(10)

        def on_steps_end(self, trainer, output):
            state.save()

    whole.fit([SaveAtTen()])
    resumed = make_trainer(**options)
    state_of(resumed).restore(newest_checkpoint(tmp_path / "checkpoints"))
    assert resumed.step == 10
    resumed.fit()
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.evaluate("validation") == whole.evaluate("validation")
