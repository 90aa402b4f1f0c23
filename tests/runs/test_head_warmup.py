import pytest
import tensorflow as tf

from tests.training import epoch_record
from trainer.runs.head_warmup import StopAtLowestLoss


@pytest.fixture
def after(make_trainer):
    """A trainer after epochs of these validation losses; its weights were 1, 2, … in them."""

    def after(*losses):
        trainer, hook = make_trainer(), StopAtLowestLoss()
        for number, loss in enumerate(losses, 1):
            for weight in trainer.model.weights:
                weight.assign(tf.fill(weight.shape, float(number)))
            trainer.history.append(epoch_record(number, loss=loss, accuracy=number / 10))
            hook.on_epoch_end(trainer, trainer.history[-1])
        return trainer

    return after


def test_the_head_goes_on_while_its_validation_loss_falls(after):
    trainer = after(0.5, 0.4, 0.3)
    assert trainer.stopped is None
    assert all((weight.numpy() == 3).all() for weight in trainer.model.weights)


def test_where_the_loss_rises_the_head_has_the_weights_of_before(after):
    trainer = after(0.5, 0.4, 0.6)
    assert trainer.stopped is not None
    assert all((weight.numpy() == 2).all() for weight in trainer.model.weights)
