"""Schedules of the learning rate."""

import pytest

from trainer import Config, UserError
from trainer.optimization.schedules import learning_rate_at, make_learning_rate

EPOCHS, STEPS_PER_EPOCH = 10, 20
TOTAL = EPOCHS * STEPS_PER_EPOCH


def rate(step: int, **options: object) -> float:
    """The learning rate after so many of 200 steps, of a schedule that begins with 0.1."""
    config = Config(epochs=EPOCHS, learning_rate=0.1, **options)
    schedule = make_learning_rate(config, STEPS_PER_EPOCH)
    return float(schedule(step))


def test_a_constant_learning_rate_is_a_number():
    assert make_learning_rate(Config(learning_rate=1), STEPS_PER_EPOCH) == 1.0


def test_fine_tuning_has_the_cosine_when_no_schedule_is_given():
    config = Config(transfer="finetune", epochs=EPOCHS, finetune_learning_rate=0.1)
    schedule = make_learning_rate(config, STEPS_PER_EPOCH)
    assert [float(schedule(step)) for step in (0, TOTAL // 2, TOTAL)] == pytest.approx(
        [0.1, 0.05, 0]
    )


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cosine", {0: 0.1, TOTAL // 2: 0.05, TOTAL: 0.0}),
        ("exponential", {0: 0.1, STEPS_PER_EPOCH: 0.094, TOTAL: 0.1 * 0.94**10}),
        ("piecewise", {0: 0.1, 99: 0.1, 100: 0.01, 149: 0.01, 150: 0.001, TOTAL: 0.001}),
        ("one-cycle", {0: 0.004, 30: 0.052, 60: 0.1, 130: 0.0500002, TOTAL: 4e-7}),
    ],
)
def test_a_schedule_has_its_known_values(schedule, expected):
    rates = {step: rate(step, schedule=schedule) for step in expected}
    assert rates == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "exponential", "piecewise"])
def test_a_warm_up_rises_linearly_to_the_start_of_the_schedule(schedule):
    rates = [rate(step, schedule=schedule, warmup="20%") for step in (0, 10, 40)]
    assert rates == pytest.approx([0.0, 0.025, 0.1])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {120: 0.1, TOTAL: 0.1}),
        ("cosine", {120: 0.05, TOTAL: 0.0}),
        ("exponential", {60: 0.094}),
        ("piecewise", {119: 0.1, 120: 0.01, 160: 0.001}),
    ],
)
def test_the_schedule_takes_the_steps_after_the_warm_up(schedule, expected):
    rates = {step: rate(step, schedule=schedule, warmup="40steps") for step in expected}
    assert rates == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("warmup", ["10epochs", "100%", "201steps"])
def test_a_warm_up_as_long_as_the_training_is_refused(warmup):
    with pytest.raises(UserError, match=rf"^--warmup {warmup} is 20\d steps, and the training has"):
        rate(0, warmup=warmup)


@pytest.mark.parametrize("schedule", ["one-cycle", "plateau"])
def test_a_schedule_without_a_warm_up_takes_none(schedule):
    with pytest.raises(UserError, match=f"^--warmup is not for --schedule {schedule}; omit it"):
        Config(schedule=schedule, warmup="5%")


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_the_learning_rate_of_any_step_is_known(make_trainer, precision):
    trainer = make_trainer(learning_rate=0.1, schedule="cosine", epochs=2, precision=precision)
    rates = [learning_rate_at(trainer.optimizer, step) for step in (0, 7, 14)]
    assert rates == pytest.approx([0.1, 0.05, 0.0], abs=1e-8)


def test_the_learning_rate_without_a_schedule_is_the_present_one(make_trainer):
    trainer = make_trainer(learning_rate=0.1)
    trainer.optimizer.learning_rate.assign(0.25)
    assert learning_rate_at(trainer.optimizer, 3) == 0.25
