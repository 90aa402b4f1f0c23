import numpy as np
import pytest
import tensorflow as tf

from trainer.data.splits import Split
from trainer.features import Features, StoredFeatures
from trainer.loop.batches import Batches, FeatureBatches, ImageBatches, StreamedFeatureBatches

EXAMPLES, BATCH = 10, 4


def feature_batches(seed: int = 0) -> FeatureBatches:
    vectors = np.arange(EXAMPLES, dtype=np.float32)[:, None].repeat(2, axis=1)
    return FeatureBatches(Features(vectors, np.arange(EXAMPLES, dtype=np.int32)), BATCH, seed)


def streamed_feature_batches(seed: int = 0) -> StreamedFeatureBatches:
    """The same features, in shards of three rows."""
    whole = np.arange(EXAMPLES, dtype=np.float32)[:, None].repeat(2, axis=1)
    labels = np.arange(EXAMPLES, dtype=np.int32)
    shards = [Features(whole[n : n + 3], labels[n : n + 3]) for n in range(0, EXAMPLES, 3)]
    return StreamedFeatureBatches(StoredFeatures(shards), BATCH, seed)


def image_batches(seed: int = 0) -> ImageBatches:
    """Images of one grey each: their number, and their label, is what they are grey by."""
    images = [
        tf.io.encode_png(tf.fill([4, 4, 3], tf.cast(n, tf.uint8))).numpy() for n in range(EXAMPLES)
    ]
    references = tf.data.Dataset.from_tensor_slices((images, tf.range(EXAMPLES)))
    split = Split("greys", EXAMPLES, "", lambda: references, tf.identity, EXAMPLES, str)
    return ImageBatches(split, image_size=4, batch_size=BATCH, seed=seed)


EVERY_KIND = pytest.mark.parametrize(
    "make", [feature_batches, streamed_feature_batches, image_batches]
)


def drawn(batches: Batches, epoch: int | None) -> list[tuple[np.ndarray, np.ndarray]]:
    feed = batches.open(epoch)
    take = tf.function(lambda step: batches.take(feed, step))
    taken = [take(tf.constant(step)) for step in range(batches.steps)]
    return [(inputs.numpy(), labels.numpy()) for inputs, labels in taken]


def labels_of(batches: Batches, epoch: int | None) -> list[int]:
    return np.concatenate([labels for _, labels in drawn(batches, epoch)]).tolist()


@EVERY_KIND
def test_an_epoch_holds_every_example_once_and_fills_up_with_labels_of_minus_one(make):
    assert sorted(labels_of(make(), epoch=0)) == [-1, -1, *range(EXAMPLES)]


@EVERY_KIND
def test_the_padding_comes_last(make):
    assert labels_of(make(), epoch=0)[-2:] == [-1, -1]


@EVERY_KIND
def test_inputs_stay_beside_their_labels(make):
    for inputs, labels in drawn(make(), epoch=3):
        present = labels >= 0
        scale = 255 if inputs.ndim == 4 else 1
        shades = inputs.reshape(BATCH, -1)[:, 0] * scale
        np.testing.assert_allclose(shades[present], labels[present], atol=1e-4)


@EVERY_KIND
def test_without_an_epoch_the_order_is_the_stored_one(make):
    assert labels_of(make(), epoch=None)[:EXAMPLES] == list(range(EXAMPLES))


@EVERY_KIND
def test_the_order_of_an_epoch_is_the_same_each_time(make):
    assert labels_of(make(), epoch=5) == labels_of(make(), epoch=5)


@EVERY_KIND
def test_epochs_have_orders_of_their_own(make):
    assert labels_of(make(), epoch=0) != labels_of(make(), epoch=1)


@EVERY_KIND
def test_seeds_have_orders_of_their_own(make):
    assert labels_of(make(seed=0), epoch=0) != labels_of(make(seed=1), epoch=0)


@EVERY_KIND
def test_every_batch_has_the_shape_that_the_spec_tells(make):
    batches = make()
    for inputs, labels in drawn(batches, epoch=0):
        assert (inputs.shape, labels.shape) == tuple(tuple(s.shape) for s in batches.batch_spec)


@EVERY_KIND
def test_examples_in_leaves_the_padding_out(make):
    assert [make().examples_in(first, 1) for first in range(3)] == [4, 4, 2]
    assert make().examples_in(0, 3) == EXAMPLES


@pytest.mark.parametrize("epoch", [None, 0, 1])
def test_every_kind_has_the_same_order(epoch):
    kinds = [feature_batches(), streamed_feature_batches(), image_batches()]
    first, *others = [labels_of(batches, epoch) for batches in kinds]
    assert all(other == first for other in others)
