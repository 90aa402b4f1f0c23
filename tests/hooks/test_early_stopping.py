import pytest

from tests.training import epoch_record
from trainer.hooks.early_stopping import EarlyStopping


@pytest.fixture
def reason(make_trainer):
    """Why a training of these validations is stopped after the last; or None."""

    def reason(patience, *validations):
        trainer = make_trainer()
        trainer.history = [epoch_record(n, **each) for n, each in enumerate(validations, 1)]
        EarlyStopping(patience).on_epoch_end(trainer, trainer.history[-1])
        return trainer.stopped

    return reason


@pytest.mark.parametrize(
    ("accuracies", "stops"),
    [
        ([0.5], False),
        ([0.5, 0.4], False),
        ([0.5, 0.4, 0.4], True),
        ([0.5, 0.5, 0.5], True),
        ([0.5, 0.4, 0.6], False),
        ([0.5, 0.4, 0.6, 0.5], False),
        ([0.5, 0.4, 0.6, 0.5, 0.5], True),
    ],
    ids=str,
)
def test_training_stops_after_so_many_epochs_without_a_better_one(reason, accuracies, stops):
    found = reason(2, *({"accuracy": accuracy} for accuracy in accuracies))
    assert found == ("--patience 2" if stops else None)


def test_an_equal_accuracy_with_a_lower_loss_is_better(reason):
    assert reason(1, *({"accuracy": 0.5, "loss": 1 / n} for n in range(1, 5))) is None
