import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.data import SPLITS
from trainer.loop.predictions import evaluate_with_outputs
from trainer.loop.trainer import Trainer


class MeasuresNothing(Trainer):
    """Updates metrics of its own way, so that labels and logits are not known."""

    def update_metrics(self, labels, logits, sample_weight, training=True):
        metrics = self.train_metrics if training else self.eval_metrics
        metrics.update_state(labels, keras.ops.softmax(logits), sample_weight)


@pytest.fixture(scope="module")
def evaluations():
    from tests.training import tiny_trainer

    trainer = tiny_trainer(epochs=1)
    trainer.fit()
    return trainer, {split: evaluate_with_outputs(trainer, split) for split in SPLITS}


@pytest.mark.parametrize("split", SPLITS)
def test_the_metrics_are_those_of_an_evaluation(evaluations, split):
    trainer, found = evaluations
    assert found[split].metrics == pytest.approx(trainer.evaluate(split), abs=1e-6)


@pytest.mark.parametrize("split", SPLITS)
def test_every_example_has_its_label_and_its_logits_once_in_stored_order(evaluations, split):
    from tests.training import features

    trainer, found = evaluations
    data, output = features(split), found[split].outputs[""]
    np.testing.assert_array_equal(output.labels, data.labels)
    np.testing.assert_allclose(output.logits, trainer.model(data.vectors), atol=1e-5)


def test_scores_are_the_task_s_predictions(evaluations):
    _, found = evaluations
    output = found["test"].outputs[""]
    np.testing.assert_allclose(output.scores, tf.nn.softmax(output.logits), atol=1e-6)


def test_of_validation_the_first_steps_alone_are_measured_where_the_options_say_so(make_trainer):
    trainer = make_trainer(validation_steps=1)
    assert evaluate_with_outputs(trainer, "validation").outputs[""].examples == 8


def test_the_metrics_are_those_of_a_subclass_that_evaluates_in_another_way(make_trainer):
    class Halves(Trainer):
        def evaluate(self, split, use_ema=True):
            return {"loss": super().evaluate(split, use_ema)["loss"] / 2}

    trainer = make_trainer(Halves)
    found = evaluate_with_outputs(trainer, "test")
    assert found.metrics == pytest.approx(trainer.evaluate("test"))


def test_a_trainer_with_metrics_of_its_own_way_has_metrics_and_no_outputs(make_trainer):
    found = evaluate_with_outputs(make_trainer(MeasuresNothing), "test")
    assert found.outputs == {}
    assert "accuracy" in found.metrics
