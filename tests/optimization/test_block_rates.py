"""Learning rates by block, of any optimizer of Keras."""

import keras
import numpy as np
import pytest

from trainer import Config
from trainer.optimization.block_rates import BlockRate, block_rates, scale_by_block

OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.1),
    "adamw": lambda: keras.optimizers.AdamW(0.1, weight_decay=0.5),
    "sgd with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "clipped and averaged": lambda: keras.optimizers.Lion(0.1, global_clipnorm=1.0, use_ema=True),
}


def finetuning(**options):
    return Config(transfer="finetune", **options)


def step(optimizer, weights):
    optimizer.apply([np.float32([0.5, 0.25])] * len(weights), weights)


def trained(optimizer, blocks=(), config=None, steps=4):
    """The values of two weights after steps with the same gradients; the first is in a block."""
    weights = [keras.Variable([1.0, -2.0], name=name) for name in ("low", "high")]
    optimizer.build(weights)
    if config is not None:
        scale_by_block(optimizer, [[weights[number]] for number in blocks], config, steps)
    values = []
    for _ in range(steps):
        step(optimizer, weights)
        values.append([weight.numpy() for weight in weights])
    return np.array(values)  # [steps, weights, 2]


def test_rates_fall_from_the_head_down():
    rates = block_rates(finetuning(layer_decay=0.5), blocks=3, steps=10)
    assert [rate.factor for rate in rates] == [0.125, 0.25, 0.5]


def test_blocks_start_one_after_another_up_to_half_of_the_steps():
    rates = block_rates(finetuning(unfreeze_gradually=True), blocks=4, steps=80)
    assert rates == [BlockRate(1.0, first) for first in (40, 30, 20, 10)]


def test_a_start_is_counted_in_updates_of_accumulated_gradients():
    config = finetuning(unfreeze_gradually=True, accumulate=5)
    assert [rate.first_update for rate in block_rates(config, blocks=2, steps=80)] == [8, 4]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_block_learns_as_with_a_lower_learning_rate(name):
    scaled = trained(OPTIMIZERS[name](), [0], finetuning(layer_decay=0.25))
    slow = OPTIMIZERS[name]()
    slow.learning_rate = 0.025
    np.testing.assert_allclose(scaled[:, 0], trained(slow)[:, 0], rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_is_in_no_block_learns_as_before(name):
    scaled = trained(OPTIMIZERS[name](), [0], finetuning(layer_decay=0.25))
    np.testing.assert_array_equal(scaled[:, 1], trained(OPTIMIZERS[name]())[:, 1])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_block_stays_as_it_is_before_it_starts(name):
    values = trained(OPTIMIZERS[name](), [0, 1], finetuning(unfreeze_gradually=True), steps=8)
    changed = (values != [1.0, -2.0]).any(axis=2)
    first_of = changed.argmax(axis=0)
    assert first_of.tolist() == [4, 2]


def test_a_scaled_optimizer_keeps_its_name_and_weight_decay():
    optimizer = OPTIMIZERS["adamw"]()
    trained(optimizer, [0], finetuning(layer_decay=0.5))
    assert (type(optimizer).__name__, optimizer.weight_decay) == ("AdamW", 0.5)
