import pytest

from tests.training import epoch_record
from trainer.hooks.reduce_on_plateau import ReduceOnPlateau


@pytest.fixture
def rates(make_trainer):
    """The learning rate after each epoch, of 1 at first."""

    def rates(patience, *accuracies):
        trainer, found = make_trainer(learning_rate=1.0), []
        trainer.optimizer.learning_rate.assign(1.0)
        trainer.history, hook = [], ReduceOnPlateau(patience)
        for epoch, accuracy in enumerate(accuracies, 1):
            trainer.history.append(epoch_record(epoch, accuracy=accuracy))
            hook.on_epoch_end(trainer, trainer.history[-1])
            found.append(trainer.learning_rate)
        return found

    return rates


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.5, 0.6, 0.7], [1, 1, 1]),
        ([0.5, 0.4, 0.4], [1, 1, 0.1]),
        ([0.5, 0.4, 0.6, 0.5], [1, 1, 1, 1]),
        ([0.5, 0.4, 0.4, 0.4, 0.4], [1, 1, 0.1, 0.1, 0.01]),
        ([0.5, 0.4, 0.4, 0.6, 0.5, 0.5], [1, 1, 0.1, 0.1, 0.1, 0.01]),
    ],
    ids=str,
)
def test_it_is_a_tenth_after_so_many_epochs_without_a_better_one(rates, accuracies, expected):
    assert rates(2, *accuracies) == pytest.approx(expected)


def test_after_one_epoch_each_time(rates):
    assert rates(1, 0.5, 0.5, 0.5) == pytest.approx([1, 0.1, 0.01])
