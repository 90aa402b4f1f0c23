"""Moving averages of weights: what evaluates, and what training continues from."""

import numpy as np
import pytest

from trainer.checkpoints.best_weights import BestWeights
from trainer.hooks.track_best import TrackBest
from trainer.loop.history import EpochRecord
from trainer.loop.trainer import Hook
from trainer.loop.triggers import EverySteps
from trainer.optimization.ema import ema_weights


class RecordWeights(Hook):
    """Copies the weights after every step."""

    when = EverySteps(1)

    def __init__(self) -> None:
        self.recorded = []

    def on_steps_end(self, trainer, output):
        self.recorded.append([v.numpy() for v in trainer.model.trainable_variables])


class EvaluateEveryStep(Hook):
    when = EverySteps(1)

    def on_steps_end(self, trainer, output):
        trainer.evaluate("validation")


@pytest.fixture(params=["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)])
def trained(make_trainer, request):
    """A trainer that averages its weights, and its own weights after each of 14 steps."""
    trainer, hook = make_trainer(ema=0.9, precision=request.param), RecordWeights()
    trainer.fit([hook])
    return trainer, hook.recorded


def moving_average(recorded: list[list[np.ndarray]]) -> list[np.ndarray]:
    first, *others = recorded
    for weights in others:
        first = [0.9 * a + 0.1 * w for a, w in zip(first, weights, strict=True)]
    return first


def assert_equal(some, others, **tolerance):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one, other, **(tolerance or {"rtol": 0, "atol": 0}))


def test_inside_the_model_has_the_moving_averages_of_its_weights(trained, weights):
    trainer, recorded = trained
    with ema_weights(trainer.model, trainer.optimizer):
        assert_equal(weights(trainer), moving_average(recorded), rtol=1e-4, atol=1e-6)


def test_afterwards_the_model_has_its_own_weights_again(trained, weights):
    trainer, recorded = trained
    with ema_weights(trainer.model, trainer.optimizer):
        pass
    assert_equal(weights(trainer), recorded[-1])


def test_after_an_exception_the_model_has_its_own_weights_again(trained, weights):
    trainer, recorded = trained
    with pytest.raises(KeyboardInterrupt), ema_weights(trainer.model, trainer.optimizer):
        raise KeyboardInterrupt
    assert_equal(weights(trainer), recorded[-1])


def test_before_the_first_step_the_averages_are_the_weights(make_trainer, weights):
    trainer = make_trainer(ema=0.9)
    own = weights(trainer)
    with ema_weights(trainer.model, trainer.optimizer):
        assert_equal(weights(trainer), own)


def test_without_averages_the_model_is_unchanged(make_trainer, weights):
    trainer = make_trainer()
    trainer.fit()
    own = weights(trainer)
    with ema_weights(trainer.model, trainer.optimizer):
        assert_equal(weights(trainer), own)


def test_evaluation_uses_the_averages(trained, make_trainer):
    trainer, recorded = trained
    other = make_trainer(precision=trainer.config.precision)
    averages = moving_average(recorded)
    for variable, average in zip(other.model.trainable_variables, averages, strict=True):
        variable.assign(average)
    assert trainer.evaluate("test") == pytest.approx(other.evaluate("test"), rel=1e-3)


def test_training_continues_from_its_own_weights(make_trainer, weights):
    evaluated, plain = make_trainer(ema=0.9), make_trainer(ema=0.9, jit="off")
    evaluated.fit([EvaluateEveryStep()])
    plain.fit()
    assert_equal(weights(evaluated), weights(plain))


def test_averaging_does_not_change_training(make_trainer, weights):
    averaging, plain = make_trainer(ema=0.9), make_trainer()
    averaging.fit()
    plain.fit()
    assert_equal(weights(averaging), weights(plain), rtol=1e-5, atol=1e-7)


def test_the_best_weights_are_the_averages(trained, weights):
    trainer, recorded = trained
    best, before = BestWeights(trainer.model), trainer.evaluate("test")
    record = EpochRecord(3, 15, 0.01, {"validation": {"loss": 0.0, "accuracy": 2.0}})
    trainer.history.append(record)
    TrackBest(best).on_epoch_end(trainer, record)
    assert_equal(weights(trainer), recorded[-1])
    best.restore()
    assert_equal(weights(trainer), moving_average(recorded), rtol=1e-4, atol=1e-6)
    assert trainer.evaluate("test", use_ema=False) == before
