import pytest

from tests.training import epoch_record
from trainer import UserError
from trainer.hooks.stop_at import StopAt


@pytest.fixture
def reason(make_trainer):
    """Why conditions stop a training after an epoch, in which the accuracy is one half; or None."""

    def reason(*conditions, **validation):
        trainer = make_trainer()
        StopAt(trainer, conditions).on_epoch_end(trainer, epoch_record(1, **validation))
        return trainer.stopped

    return reason


@pytest.mark.parametrize(
    ("condition", "stops"),
    [
        ("accuracy>=0.5", True),
        ("accuracy>0.5", False),
        ("accuracy>0.4", True),
        ("loss<=1", True),
        ("loss<1", False),
        ("loss<1.1", True),
        ("gradient_norm<2", True),
        ("validation/accuracy>=0.5", True),
        ("validation/accuracy>=0.6", False),
    ],
)
def test_training_stops_when_a_condition_is_met(reason, condition, stops):
    assert reason(condition) == (f"--stop-at {condition}" if stops else None)


@pytest.mark.parametrize(
    ("conditions", "stops"),
    [
        (["accuracy>=0.5", "loss<=1"], True),
        (["accuracy>=0.5", "loss<1"], False),
        (["accuracy>=0.5", "validation/loss<=1"], True),
    ],
)
def test_of_several_conditions_all_must_be_met(reason, conditions, stops):
    assert (reason(*conditions) is not None) == stops


def test_nine_of_ten_meet_a_bound_of_nine_tenths(reason):
    """In float32, as metrics are, 9 / 10 is a little less than Python's 0.9."""
    assert reason("validation/accuracy>=0.9", accuracy=0.8999999761581421)


def test_an_unknown_metric_is_refused_before_training(make_trainer):
    trainer = make_trainer()
    with pytest.raises(UserError) as error:
        StopAt(trainer, ["f1>=0.9"])
    assert str(error.value) == (
        "--stop-at f1>=0.9: train has no metric 'f1'; there are loss, gradient_norm, accuracy"
    )
    assert trainer.step == 0


def test_what_steps_return_in_training_is_no_metric_of_validation(make_trainer):
    with pytest.raises(UserError, match="validation has no metric 'gradient_norm'"):
        StopAt(make_trainer(), ["validation/gradient_norm<1"])
