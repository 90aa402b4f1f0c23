"""Mixed precision: dtypes, scaled losses, and equal learning."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import TINY_SIDE
from tests.training import WithoutDropout
from trainer import Config, Trainer
from trainer.extractors.loading import load_network
from trainer.loop.trainer import Hook
from trainer.optimization.precision import dtype_policy_scope

MIXED = ["mixed_bfloat16", "mixed_float16"]
COMPILED_OR_NOT = pytest.mark.parametrize(
    "jit", [pytest.param("on", marks=pytest.mark.slow), "off"]
)


class RecordValues(Hook):
    """Collects what every step returned."""

    def __init__(self) -> None:
        self.values = {"loss": [], "gradient_norm": []}

    def on_steps_end(self, trainer, output):
        for name, values in output.values.items():
            self.values[name].extend(values)


class Regularised(Trainer):
    """A model with losses of its own, on weights and on the output of a layer."""

    def build_model(self):
        model = keras.Sequential(
            [keras.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l2")]
        )
        model(tf.zeros([1, 6]))
        return model


def first_step(trainer) -> dict[str, tf.Tensor]:
    batches = trainer.batches["train"]
    batch, _ = batches.get_next(batches.make_iterator(0), tf.constant(0))
    return trainer.train_step(batch)


def apply_gradients(trainer, tape, loss) -> tf.Tensor:
    return trainer.apply_gradients(tape.gradient(loss, trainer.model.trainable_variables))


@pytest.mark.parametrize("precision", MIXED)
def test_layers_compute_in_sixteen_bits_on_float32_weights(make_trainer, precision):
    trainer = make_trainer(precision=precision)
    dense = next(layer for layer in trainer.model.layers[0].layers)
    assert dense.compute_dtype == precision.removeprefix("mixed_")
    assert {v.dtype for v in trainer.model.trainable_variables} == {"float32"}


@pytest.mark.parametrize("precision", MIXED)
def test_logits_and_losses_are_float32(make_trainer, precision):
    trainer = make_trainer(precision=precision)
    logits = trainer.model(tf.zeros([2, 6]))
    loss = trainer.compute_loss(tf.constant([0, 1]), logits, tf.ones([2]))
    assert (logits.dtype, loss.dtype) == (tf.float32, tf.float32)


@COMPILED_OR_NOT
@pytest.mark.parametrize("precision", MIXED)
def test_training_in_sixteen_bits_learns_with_finite_losses(make_trainer, precision, jit):
    trainer, recorded = (
        make_trainer(precision=precision, jit=jit, epochs=20, log_every=1),
        RecordValues(),
    )
    trainer.fit([recorded])
    assert np.isfinite(recorded.values["loss"]).all()
    assert np.isfinite(recorded.values["gradient_norm"]).all()
    assert trainer.evaluate("test")["accuracy"] > 0.7


@pytest.mark.parametrize("precision", MIXED)
def test_the_gradient_norm_is_that_of_float32(make_trainer, precision):
    full, mixed = (make_trainer(WithoutDropout, precision=p) for p in ("float32", precision))
    norms = [float(first_step(trainer)["gradient_norm"]) for trainer in (full, mixed)]
    assert norms[1] == pytest.approx(norms[0], rel=0.01)


def test_gradients_too_small_for_float16_are_not_lost(make_trainer):
    """A gradient of 2e-7 / 8 is 0 in float16, whose smallest number is 6e-8."""
    trainer = make_trainer(precision="mixed_float16", optimizer="sgd", learning_rate=1.0)
    with tf.GradientTape() as tape:
        logits = trainer.model(tf.ones([8, 6]), training=False)
        loss = trainer.optimizer.scale_loss(2e-7 * tf.reduce_mean(logits))
    assert float(apply_gradients(trainer, tape, loss)) > 1e-8


def test_a_step_whose_gradients_overflow_is_skipped(make_trainer, weights):
    trainer = make_trainer(precision="mixed_float16")
    own, scale = weights(trainer), float(trainer.optimizer.dynamic_scale)
    with tf.GradientTape() as tape:
        logits = trainer.model(tf.ones([8, 6]), training=False)
        loss = trainer.optimizer.scale_loss(1e6 * tf.reduce_sum(logits))
    assert float(apply_gradients(trainer, tape, loss)) == 0.0
    assert float(trainer.optimizer.dynamic_scale) == scale / 2
    for one, other in zip(own, weights(trainer), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_norm_that_is_nan_is_reported_in_float32(make_trainer):
    trainer = make_trainer()
    with tf.GradientTape() as tape:
        loss = np.nan * tf.reduce_sum(trainer.model(tf.ones([8, 6]), training=False))
    assert np.isnan(apply_gradients(trainer, tape, loss))


def test_the_losses_of_a_users_own_optimizer_are_scaled_too(make_trainer):
    class Plain(Trainer):
        def build_optimizer(self):
            return keras.optimizers.SGD(0.5)

    trainer = make_trainer(Plain, precision="mixed_float16")
    assert isinstance(trainer.optimizer, keras.optimizers.LossScaleOptimizer)
    assert trainer.learning_rate == 0.5


def test_losses_are_scaled_once_if_the_optimizer_does_it_itself(make_trainer):
    class Scaled(Trainer):
        def build_optimizer(self):
            return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5))

    trainer = make_trainer(Scaled, precision="mixed_float16")
    assert isinstance(trainer.optimizer.inner_optimizer, keras.optimizers.SGD)


@pytest.mark.parametrize("precision", MIXED)
def test_regularization_losses_are_added_in_float32(make_trainer, precision):
    trainer = make_trainer(Regularised, precision=precision)
    assert first_step(trainer)["loss"].dtype == tf.float32


@pytest.mark.parametrize("precision", MIXED)
def test_the_dtype_policy_is_restored(make_trainer, precision):
    make_trainer(precision=precision)
    assert keras.config.dtype_policy().name == "float32"


def test_the_dtype_policy_is_restored_after_an_exception(make_trainer):
    class Broken(Trainer):
        def build_model(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        make_trainer(Broken, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"


def test_in_float32_the_model_is_the_head_of_the_task(make_trainer):
    assert isinstance(make_trainer().model.layers[0], keras.layers.Dense)


def test_a_hub_module_computes_in_float32_under_any_policy(vector_module):
    config = Config(extractor=str(vector_module), image_size=TINY_SIDE)
    with dtype_policy_scope("mixed_float16"):
        network = load_network(config).layer
        assert network(tf.zeros([1, TINY_SIDE, TINY_SIDE, 3])).dtype == tf.float32


class Unscaled(Trainer):
    """Takes the gradients of its loss as it is."""

    def train_step(self, batch):
        inputs, labels, sample_weight = batch
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
        apply_gradients(self, tape, loss)
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss}


def test_a_step_that_does_not_scale_its_loss_in_float16_is_an_error_that_says_what_to_add(
    make_trainer,
):
    with pytest.raises(TypeError, match=r"take the gradients of self\.optimizer\.scale_loss"):
        make_trainer(Unscaled, precision="mixed_float16").fit()


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_in_other_precisions_no_loss_needs_a_scale(make_trainer, precision):
    make_trainer(Unscaled, precision=precision).fit()
