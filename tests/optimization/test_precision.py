import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import TINY_SIDE
from tests.training import WithoutDropout
from trainer import Config, Trainer
from trainer.extractors.loading import load_network
from trainer.loop.triggers import EverySpan
from trainer.optimization.precision import dtype_policy_scope

MIXED = ["mixed_bfloat16", "mixed_float16"]
COMPILED_OR_NOT = pytest.mark.parametrize("jit", ["on", "off"])


class Keep:
    """A hook that keeps what every step returned."""

    def __init__(self) -> None:
        self.when, self.values = EverySpan(), {"loss": [], "gradient_norm": []}

    def __call__(self, trainer, span):
        for name, values in span.values.items():
            self.values[name].extend(values)


class Regularised(Trainer):
    """A model with losses of its own, on weights and on what a layer puts out."""

    def build_model(self):
        model = keras.Sequential(
            [keras.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l2")]
        )
        model(tf.zeros([1, 6]))
        return model


def first_step(trainer) -> dict[str, tf.Tensor]:
    batches = trainer.batches["train"]
    return trainer.train_step(batches.take(batches.open(0), tf.constant(0)))


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
    assert (logits.dtype, trainer.loss(tf.constant([0, 1]), logits).dtype) == (tf.float32,) * 2


@COMPILED_OR_NOT
@pytest.mark.parametrize("precision", MIXED)
def test_training_in_sixteen_bits_learns_with_finite_losses(make_trainer, precision, jit):
    trainer, keep = make_trainer(precision=precision, jit=jit, epochs=20), Keep()
    trainer.fit([keep])
    assert np.isfinite(keep.values["loss"]).all()
    assert np.isfinite(keep.values["gradient_norm"]).all()
    assert trainer.evaluate("test")["accuracy"] > 0.7


@pytest.mark.parametrize("precision", MIXED)
def test_the_gradient_norm_is_that_of_float32(make_trainer, precision):
    full, mixed = (make_trainer(WithoutDropout, precision=p) for p in ("float32", precision))
    norms = [float(first_step(trainer)["gradient_norm"]) for trainer in (full, mixed)]
    assert norms[1] == pytest.approx(norms[0], rel=0.01)


def test_gradients_too_small_for_float16_are_learnt_from(make_trainer):
    """2e-7 / 8 of a gradient is nothing in float16, whose smallest number is 6e-8."""
    trainer = make_trainer(precision="mixed_float16", optimizer="sgd", learning_rate=1.0)
    with tf.GradientTape() as tape:
        logits = trainer.model(tf.ones([8, 6]), training=False)
        loss = 2e-7 * tf.reduce_mean(logits)
    assert float(trainer.apply_gradients(tape, loss)) > 1e-8


def test_a_step_with_gradients_too_large_is_left_out(make_trainer, weights):
    trainer = make_trainer(precision="mixed_float16")
    own, scale = weights(trainer), float(trainer.optimizer.dynamic_scale)
    with tf.GradientTape() as tape:
        loss = 1e6 * tf.reduce_sum(trainer.model(tf.ones([8, 6]), training=False))
    assert float(trainer.apply_gradients(tape, loss)) == 0.0
    assert float(trainer.optimizer.dynamic_scale) == scale / 2
    for one, other in zip(own, weights(trainer), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_norm_that_is_no_number_is_told_in_float32(make_trainer):
    trainer = make_trainer()
    with tf.GradientTape() as tape:
        loss = np.nan * tf.reduce_sum(trainer.model(tf.ones([8, 6]), training=False))
    assert np.isnan(trainer.apply_gradients(tape, loss))


def test_an_optimizer_of_the_users_has_its_losses_scaled_too(make_trainer):
    class Plain(Trainer):
        def build_optimizer(self):
            return keras.optimizers.SGD(0.5)

    trainer = make_trainer(Plain, precision="mixed_float16")
    assert isinstance(trainer.optimizer, keras.optimizers.LossScaleOptimizer)
    assert trainer.learning_rate == 0.5


def test_an_optimizer_that_scales_losses_already_does_it_once(make_trainer):
    class Scaled(Trainer):
        def build_optimizer(self):
            return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5))

    trainer = make_trainer(Scaled, precision="mixed_float16")
    assert isinstance(trainer.optimizer.inner_optimizer, keras.optimizers.SGD)


@pytest.mark.parametrize("precision", MIXED)
def test_losses_of_the_model_itself_are_added_up_in_float32(make_trainer, precision):
    trainer = make_trainer(Regularised, precision=precision)
    assert first_step(trainer)["loss"].dtype == tf.float32


@pytest.mark.parametrize("precision", MIXED)
def test_the_process_has_its_own_policy_again(make_trainer, precision):
    make_trainer(precision=precision)
    assert keras.config.dtype_policy().name == "float32"


def test_the_process_has_its_own_policy_again_if_a_model_cannot_be_built(make_trainer):
    class Broken(Trainer):
        def build_model(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        make_trainer(Broken, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"


def test_in_float32_the_model_is_the_tasks_own_head(make_trainer):
    assert isinstance(make_trainer().model.layers[0], keras.layers.Dense)


def test_a_hub_module_computes_in_float32_under_any_policy(vector_module):
    config = Config(extractor=str(vector_module), image_size=TINY_SIDE)
    with dtype_policy_scope("mixed_float16"):
        network = load_network(config).layer
        assert network(tf.zeros([1, TINY_SIDE, TINY_SIDE, 3])).dtype == tf.float32
