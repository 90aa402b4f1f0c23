import numpy as np
import pytest

from trainer.checkpoints.best_weights import BestWeights
from trainer.hooks.standard import TrackBest
from trainer.loop.history import EpochRecord
from trainer.loop.inner_loop import Span
from trainer.loop.triggers import EverySteps
from trainer.optimization.ema import averaged


class KeepWeights:
    """A hook that keeps the weights after every step, and evaluates if it is told to."""

    when = EverySteps(1)

    def __init__(self, evaluates: bool = False) -> None:
        self.kept, self._evaluates = [], evaluates

    def __call__(self, trainer, span):
        if self._evaluates:
            trainer.evaluate("validation")
        self.kept.append([v.numpy() for v in trainer.model.trainable_variables])


@pytest.fixture(params=["float32", "mixed_float16"])
def trained(make_trainer, request):
    """A trainer that averages its weights, and its own weights after each of 14 steps."""
    trainer, hook = make_trainer(ema=0.9, precision=request.param, jit="off"), KeepWeights()
    trainer.fit([hook])
    return trainer, hook.kept


def moving_average(kept: list[list[np.ndarray]]) -> list[np.ndarray]:
    first, *others = kept
    for weights in others:
        first = [0.9 * a + 0.1 * w for a, w in zip(first, weights, strict=True)]
    return first


def assert_equal(some, others, **tolerance):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one, other, **(tolerance or {"rtol": 0, "atol": 0}))


def test_inside_the_model_has_the_moving_average_of_its_weights(trained, weights):
    trainer, kept = trained
    with averaged(trainer.model, trainer.optimizer):
        assert_equal(weights(trainer), moving_average(kept), rtol=1e-4, atol=1e-6)


def test_afterwards_the_model_has_its_own_weights_again(trained, weights):
    trainer, kept = trained
    with averaged(trainer.model, trainer.optimizer):
        pass
    assert_equal(weights(trainer), kept[-1])


def test_afterwards_it_has_them_even_if_something_breaks(trained, weights):
    trainer, kept = trained
    with pytest.raises(KeyboardInterrupt), averaged(trainer.model, trainer.optimizer):
        raise KeyboardInterrupt
    assert_equal(weights(trainer), kept[-1])


def test_before_the_first_step_the_average_is_the_weights(make_trainer, weights):
    trainer = make_trainer(ema=0.9)
    own = weights(trainer)
    with averaged(trainer.model, trainer.optimizer):
        assert_equal(weights(trainer), own)


def test_without_averages_the_model_is_left_as_it_is(make_trainer, weights):
    trainer = make_trainer()
    trainer.fit()
    own = weights(trainer)
    with averaged(trainer.model, trainer.optimizer):
        assert_equal(weights(trainer), own)


def test_evaluation_is_of_the_averages(trained, make_trainer):
    trainer, kept = trained
    other = make_trainer(precision=trainer.config.precision)
    averages = moving_average(kept)
    for variable, average in zip(other.model.trainable_variables, averages, strict=True):
        variable.assign(average)
    assert trainer.evaluate("test") == pytest.approx(other.evaluate("test"), rel=1e-3)


def test_training_goes_on_from_its_own_weights(make_trainer, weights):
    watched, alone = make_trainer(ema=0.9, jit="off"), make_trainer(ema=0.9, jit="off")
    watched.fit([KeepWeights(evaluates=True)])
    alone.fit()
    assert_equal(weights(watched), weights(alone))


def test_averaging_changes_nothing_in_training(make_trainer, weights):
    averaging, plain = make_trainer(ema=0.9, jit="off"), make_trainer(jit="off")
    averaging.fit()
    plain.fit()
    assert_equal(weights(averaging), weights(plain), rtol=1e-5, atol=1e-7)


def test_the_best_weights_are_the_averages(trained, weights):
    trainer, kept = trained
    best, before = BestWeights(trainer.model), trainer.evaluate("test")
    trainer.history.append(EpochRecord(2, 14, 0.01, {"validation": before}))
    TrackBest(EverySteps(7), best)(trainer, Span.of_no_steps(14))
    assert_equal(weights(trainer), kept[-1])
    best.restore()
    assert_equal(weights(trainer), moving_average(kept), rtol=1e-4, atol=1e-6)
    assert trainer.evaluate("test", averages=False) == before
