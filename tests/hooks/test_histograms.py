import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer.hooks.histograms import WriteHistograms, first_gradients
from trainer.report.summaries import Summaries


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    from tests.training import tiny_trainer

    folder = tmp_path_factory.mktemp("histograms")
    summaries = Summaries(folder)
    trainer = tiny_trainer()
    trainer.fit([WriteHistograms(summaries)])
    summaries.flush()
    events = EventAccumulator(str(folder / "train"), size_guidance={"tensors": 0})
    events.Reload()
    return trainer, events


LAYERS = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]


def test_every_trainable_variable_has_its_weights_and_gradients_at_the_end_of_every_epoch(written):
    _, events = written
    tags = {f"{kind}/{layer}" for kind in ("weights", "gradients") for layer in LAYERS}
    assert set(events.Tags()["tensors"]) == tags
    for tag in tags:
        assert [event.step for event in events.Tensors(tag)] == [7, 14]


def test_the_last_histogram_counts_the_last_weights(written):
    trainer, events = written
    [*_, last] = events.Tensors("weights/dense/kernel")
    buckets = np.frombuffer(last.tensor_proto.tensor_content).reshape(-1, 3)
    kernel = trainer.model.trainable_variables[0].numpy()
    assert buckets[:, 2].sum() == kernel.size
    assert buckets[0, 0] == pytest.approx(kernel.min(), abs=1e-5)


def test_training_is_the_same_with_it_and_without(written, make_trainer, weights):
    trainer, _ = written
    other = make_trainer()
    other.fit()
    for one, two in zip(weights(trainer), weights(other), strict=True):
        np.testing.assert_array_equal(one, two)


def test_gradients_are_of_the_training_loss(make_traced_trainer):
    trainer = make_traced_trainer()
    bias = trainer.model.trainable_variables[-1]
    [*_, gradient] = first_gradients(trainer)
    (inputs, labels, weight), _ = trainer.batches["train"].get_next(
        trainer.batches["train"].make_iterator(None), 0
    )
    moved = []
    for step in (1e-2, -1e-2):
        bias.assign_add([step, 0, 0])
        loss = trainer.compute_loss(labels, trainer.model(inputs, training=False), weight)
        moved.append(float(loss))
        bias.assign_add([-step, 0, 0])
    assert float(gradient[0]) == pytest.approx((moved[0] - moved[1]) / 2e-2, rel=1e-2)
