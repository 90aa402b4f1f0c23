import functools

import keras
import pytest
import tensorflow as tf

from trainer import UserError
from trainer.loop.metrics import Metrics

PREDICTIONS = tf.constant([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
ALL = tf.ones([3])
FIRST = tf.constant([1.0, 0.0, 0.0])


def accuracy() -> Metrics:
    return Metrics({"accuracy": keras.metrics.SparseCategoricalAccuracy()})


def test_each_example_counts_once():
    metrics = accuracy()
    metrics.update_state(tf.constant([0, 1, 1]), PREDICTIONS, ALL)
    assert metrics.result() == {"accuracy": pytest.approx(2 / 3)}


def test_rows_of_weight_0_do_not_count():
    metrics = accuracy()
    metrics.update_state(tf.constant([0, 1, 1]), PREDICTIONS, tf.constant([1.0, 1.0, 0.0]))
    assert metrics.result() == {"accuracy": 1.0}


def test_means_weight_a_step_by_its_examples():
    metrics = Metrics({})
    metrics.track(["loss"])
    metrics.update_means({"loss": tf.constant(1.0)}, ALL)
    metrics.update_means({"loss": tf.constant(5.0)}, FIRST)
    assert metrics.result() == {"loss": pytest.approx(2.0)}


def test_whether_a_step_has_updated_them_is_recorded():
    metrics = accuracy()
    assert not metrics.is_updated
    metrics.update_state(tf.constant([0, 1, 1]), PREDICTIONS, ALL)
    assert metrics.is_updated


def test_without_metrics_there_is_nothing_to_update():
    assert Metrics({}).is_updated


def test_a_reset_begins_anew():
    metrics = accuracy()
    metrics.update_state(tf.constant([1, 0, 1]), PREDICTIONS, ALL)
    metrics.reset_state()
    metrics.update_state(tf.constant([0, 1, 0]), PREDICTIONS, ALL)
    assert metrics.result() == {"accuracy": 1.0}


def test_variables_hold_everything_that_was_counted():
    metrics, other = accuracy(), accuracy()
    metrics.update_state(tf.constant([0, 0, 0]), PREDICTIONS, ALL)
    other.update_state(tf.constant([0, 0, 0]), PREDICTIONS, FIRST)
    for variable, kept in zip(other.variables, metrics.variables, strict=True):
        variable.assign(kept)
    assert other.result() == metrics.result()


# Of several outputs.

LABELS = {"kind": tf.constant([0, 1, 1]), "size": tf.constant([[1.0], [2.0], [3.0]])}
OUTPUTS = {"kind": PREDICTIONS, "size": tf.constant([[1.0], [2.0], [6.0]])}


def by_output() -> Metrics:
    kind = {
        "accuracy": keras.metrics.SparseCategoricalAccuracy(),
        "of_each": keras.metrics.MeanMetricWrapper(lambda *_: tf.zeros([3])),
    }
    size = {"mean_absolute_error": keras.metrics.MeanAbsoluteError()}
    return Metrics({"kind": kind, "size": size}, {"kind": ["a", "b"], "size": ["size"]})


def test_each_output_has_metrics_of_its_own():
    metrics = by_output()
    metrics.update_state(LABELS, OUTPUTS, ALL)
    assert metrics.result() == {
        "kind_accuracy": pytest.approx(2 / 3),
        "kind_of_each": 0,
        "size_mean_absolute_error": 1,
    }


def test_a_value_for_each_class_has_the_names_of_its_output():
    class Both(keras.metrics.Mean):
        def update_state(self, labels, predictions, sample_weight=None):
            super().update_state(0.0)

        def result(self):
            return tf.constant([0.25, 0.75])

    metrics = Metrics({"kind": {"recall": Both()}}, {"kind": ["a", "b"], "size": ["x", "y"]})
    assert metrics.result() == {"kind_recall/a": 0.25, "kind_recall/b": 0.75}


@pytest.mark.parametrize("outputs", [{"size": OUTPUTS["size"]}, PREDICTIONS])
def test_an_output_that_is_missing_is_named(outputs):
    with pytest.raises(UserError, match=r"the metric kind_accuracy is of the output 'kind', which"):
        by_output().update_state(LABELS, outputs, ALL)


# Of masks.

FloatIoU = functools.partial(keras.metrics.BinaryIoU, dtype="float32")


@pytest.mark.parametrize(
    "metric",
    [
        lambda: keras.metrics.BinaryIoU(dtype="float32"),
        keras.metrics.BinaryAccuracy,
        keras.metrics.AUC,
    ],
)
def test_masks_of_rows_that_fill_up_do_not_count(metric):
    predictions, other = tf.random.stateless_uniform([2, 3, 4, 5, 1], [0, 1])
    masks = tf.round(other)
    padded, alone = Metrics({"it": metric()}), Metrics({"it": metric()})
    padded.update_state(masks, predictions, FIRST)
    alone.update_state(masks[:1], predictions[:1], tf.ones([1]))
    assert padded.result() == pytest.approx(alone.result())


def test_a_metric_that_would_cut_weights_is_refused():
    with pytest.raises(UserError, match=r'the metric iou counts in integers, .* dtype="float32"'):
        Metrics({"iou": keras.metrics.MeanIoU(2)})


def test_two_metrics_of_one_name_are_refused():
    accuracy = keras.metrics.SparseCategoricalAccuracy
    with pytest.raises(UserError, match="there are two metrics kind_accuracy; give one another na"):
        Metrics({"kind_accuracy": accuracy(), "kind": {"accuracy": accuracy()}})
