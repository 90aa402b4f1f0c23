import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.pipeline.augmentation import PRESETS
from trainer.data.pipeline.mixup import Mixing
from trainer.data.splits import Split
from trainer.distribution.rows import Rows
from trainer.features.features import Features, StoredFeatures, concatenate
from trainer.loop.array_batches import FeatureBatches, StreamedFeatureBatches
from trainer.loop.batches import Batches, ImageBatches

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


def drawn(
    batches: Batches, epoch: int | None, first: int = 0
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Inputs, labels and sample weights of a data epoch, from a step on."""
    iterator = batches.make_iterator(epoch, first)
    get_next = tf.function(lambda step: batches.get_next(iterator, step))
    taken = [get_next(tf.constant(step))[0] for step in range(first, batches.steps)]
    return [tuple(tensor.numpy() for tensor in batch) for batch in taken]


def labels_of(batches: Batches, epoch: int | None) -> list[int]:
    return np.concatenate([labels for _, labels, _ in drawn(batches, epoch)]).tolist()


def weights_of(batches: Batches, epoch: int | None) -> list[float]:
    return np.concatenate([weight for _, _, weight in drawn(batches, epoch)]).tolist()


@EVERY_KIND
@pytest.mark.parametrize("epoch", [None, 0])
def test_an_epoch_holds_every_example_once_at_weight_1(make, epoch):
    batches = make()
    weighted = zip(labels_of(batches, epoch), weights_of(batches, epoch), strict=True)
    assert sorted(label for label, weight in weighted if weight) == list(range(EXAMPLES))


@EVERY_KIND
@pytest.mark.parametrize("epoch", [None, 0])
def test_the_last_batch_is_filled_up_with_the_first_examples_of_the_order_at_weight_0(make, epoch):
    batches = make()
    labels = labels_of(batches, epoch)
    assert weights_of(batches, epoch) == [1.0] * EXAMPLES + [0.0] * 2
    assert labels[EXAMPLES:] == labels[:2]


def test_an_epoch_smaller_than_a_batch_fills_it_up_with_all_its_examples_again():
    features = Features(np.arange(3.0, dtype=np.float32)[:, None], np.arange(3, dtype=np.int32))
    batches = FeatureBatches(features, 8, seed=0)
    labels = labels_of(batches, epoch=0)
    assert labels == (labels[:3] * 3)[:8]
    assert weights_of(batches, epoch=0) == [1.0] * 3 + [0.0] * 5


@EVERY_KIND
def test_inputs_stay_beside_their_labels(make):
    for inputs, labels, _ in drawn(make(), epoch=3):
        scale = 255 if inputs.ndim == 4 else 1
        shades = inputs.reshape(BATCH, -1)[:, 0] * scale
        np.testing.assert_allclose(shades, labels, atol=1e-4)


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
def test_every_batch_has_the_shapes_of_its_spec(make):
    batches = make()
    for batch in drawn(batches, epoch=0):
        assert [tensor.shape for tensor in batch] == [tuple(s.shape) for s in batches.batch_spec]


@EVERY_KIND
def test_examples_in_does_not_count_the_rows_that_fill_up(make):
    assert [make().examples_in(first, 1) for first in range(3)] == [4, 4, 2]
    assert make().examples_in(0, 3) == EXAMPLES


@pytest.mark.parametrize("epoch", [None, 0, 1])
def test_every_kind_has_the_same_order(epoch):
    kinds = [feature_batches(), streamed_feature_batches(), image_batches()]
    first, *others = [labels_of(batches, epoch) for batches in kinds]
    assert all(other == first for other in others)


def require_the_rest(batches: Batches, epoch: int | None, first: int) -> None:
    """The batches from a step on are those that the whole epoch has from there."""
    whole, rest = drawn(batches, epoch), drawn(batches, epoch, first)
    for expected, found in zip(whole[first:], rest, strict=True):
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)


@EVERY_KIND
@pytest.mark.parametrize("make_balanced", [False, True])
def test_iterators_go_on_from_epoch_to_epoch(make, make_balanced):
    batches = make()
    batches.balanced = make_balanced
    iterators = batches.make_iterators(epoch=1, first=2)
    get_next = tf.function(batches.get_next)
    for epoch, first in ((1, 2), (2, 0), (3, 0)):
        iterator = next(iterators)
        steps = range(first, batches.steps)
        found = [get_next(iterator, tf.constant(step))[0] for step in steps]
        for one, other in zip(found, drawn(batches, epoch, first), strict=True):
            for tensor, expected in zip(one, other, strict=True):
                np.testing.assert_array_equal(tensor, expected)


@EVERY_KIND
@pytest.mark.parametrize("epoch", [None, 1])
@pytest.mark.parametrize("first", [1, 2])
def test_from_a_step_within_the_epoch_batches_are_those_of_the_whole(make, epoch, first):
    require_the_rest(make(), epoch, first)


# Augmentation and mixing of images.


AUGMENTATION = PRESETS["strong"]
MIXING = Mixing(classes=EXAMPLES, mixup=0.4, cutmix=1.0)


def noisy_batches(seed: int = 0, **options: object) -> ImageBatches:
    """Images of noise, labelled by their positions."""
    pixels = np.random.default_rng(0).integers(0, 256, [EXAMPLES, 4, 4, 3], np.uint8)
    images = [tf.io.encode_png(picture).numpy() for picture in pixels]
    references = tf.data.Dataset.from_tensor_slices((images, tf.range(EXAMPLES)))
    split = Split("noise", EXAMPLES, "", lambda: references, tf.identity, EXAMPLES, str)
    return ImageBatches(split, 4, BATCH, seed, **options)


def images_of(batches: Batches, epoch: int | None) -> np.ndarray:
    """The images of an epoch in the stored order."""
    inputs, labels, _ = (
        np.concatenate(column)[:EXAMPLES] for column in zip(*drawn(batches, epoch), strict=True)
    )
    return inputs[np.argsort(labels, kind="stable")]


def test_every_epoch_augments_every_image_in_its_own_way():
    batches = noisy_batches(augmentation=AUGMENTATION)
    plain, first, second = (images_of(batches, epoch) for epoch in (None, 0, 1))
    for one, other in itertools.combinations([plain, first, second], 2):
        assert (np.abs(one - other).max((1, 2, 3)) > 0.02).all()


def test_an_epoch_is_augmented_the_same_each_time():
    one, again = (images_of(noisy_batches(augmentation=AUGMENTATION), epoch=3) for _ in range(2))
    np.testing.assert_array_equal(one, again)


def test_another_seed_augments_otherwise():
    one, other = (images_of(noisy_batches(s, augmentation=AUGMENTATION), 0) for s in (0, 1))
    assert not np.allclose(one, other)


def test_without_an_epoch_nothing_is_augmented():
    augmented = noisy_batches(augmentation=AUGMENTATION)
    np.testing.assert_array_equal(images_of(augmented, None), images_of(noisy_batches(), None))


@pytest.mark.parametrize("epoch", [None, 0])
@pytest.mark.parametrize("augmentation", [None, AUGMENTATION])
def test_mixed_batches_have_soft_labels(epoch, augmentation):
    batches = noisy_batches(augmentation=augmentation, mixing=MIXING)
    assert tuple(batches.batch_spec[1].shape) == (BATCH, EXAMPLES)
    for batch in drawn(batches, epoch):
        assert [tensor.shape for tensor in batch] == [tuple(s.shape) for s in batches.batch_spec]
        assert batch[1].dtype == np.float32


def test_the_soft_labels_of_every_row_add_up_to_1_in_a_mixed_epoch():
    soft = np.concatenate([labels for _, labels, _ in drawn(noisy_batches(mixing=MIXING), 0)])
    np.testing.assert_allclose(soft.sum(axis=1), np.ones(EXAMPLES + 2), atol=1e-6)
    assert (soft.max(axis=1)[:EXAMPLES] < 1).any()


def test_the_rows_that_fill_up_are_mixed_with_none():
    *_, (_, soft, weight) = drawn(noisy_batches(mixing=MIXING), 0)
    assert (soft[weight == 0].max(axis=1) == 1).all()


@pytest.mark.parametrize(
    "options",
    [
        {"augmentation": AUGMENTATION},
        {"mixing": MIXING},
        {"augmentation": AUGMENTATION, "mixing": MIXING},
    ],
    ids=["augmented", "mixed", "both"],
)
@pytest.mark.parametrize("epoch", [None, 1])
@pytest.mark.parametrize("first", [1, 2])
def test_from_a_step_within_the_epoch_images_are_augmented_and_mixed_as_in_the_whole(
    options, epoch, first
):
    require_the_rest(noisy_batches(**options), epoch, first)


def test_without_an_epoch_nothing_is_mixed():
    plain, mixed = drawn(noisy_batches(), None), drawn(noisy_batches(mixing=MIXING), None)
    for (images, labels, _), (mixed_images, soft, _) in zip(plain, mixed, strict=True):
        np.testing.assert_array_equal(mixed_images, images)
        np.testing.assert_array_equal(soft, tf.one_hot(labels, EXAMPLES))


# Labels.


@EVERY_KIND
def test_the_labels_of_all_examples_are_known_before_an_epoch(make):
    labels = make().labels
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, np.arange(EXAMPLES))


# Copies of features.


COPIES = 3


def copied(kind: type[Batches]) -> Batches:
    """Copies of ten features, each of which is its copy's number and its label."""
    numbers = np.arange(COPIES * EXAMPLES)
    parts = [
        Features(rows[:, None].astype(np.float32), (rows % EXAMPLES).astype(np.int32))
        for rows in np.split(numbers, COPIES)
    ]
    features = concatenate(parts) if kind is FeatureBatches else StoredFeatures(parts)
    return kind(features, BATCH, seed=0, copies=COPIES)


EVERY_COPIED_KIND = pytest.mark.parametrize("kind", [FeatureBatches, StreamedFeatureBatches])


@EVERY_COPIED_KIND
@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 7])
def test_an_epoch_takes_the_next_copy_of_every_example(kind, epoch):
    for vectors, labels, _ in drawn(copied(kind), epoch):
        copies, positions = np.divmod(vectors[:, 0].astype(int), EXAMPLES)
        assert set(copies) == {epoch % COPIES}
        np.testing.assert_array_equal(positions, labels)


@EVERY_COPIED_KIND
@pytest.mark.parametrize("epoch", [None, 0, 4])
def test_copies_come_in_the_order_of_the_examples(kind, epoch):
    assert labels_of(copied(kind), epoch) == labels_of(feature_batches(), epoch)


@EVERY_COPIED_KIND
@pytest.mark.parametrize("epoch", [None, 4])
def test_from_a_step_within_the_epoch_copies_are_those_of_the_whole(kind, epoch):
    require_the_rest(copied(kind), epoch, first=2)


@EVERY_COPIED_KIND
def test_copies_are_no_examples(kind):
    batches = copied(kind)
    assert (batches.examples, batches.steps) == (EXAMPLES, 3)


@EVERY_COPIED_KIND
def test_copies_have_no_labels_of_their_own(kind):
    np.testing.assert_array_equal(copied(kind).labels, np.arange(EXAMPLES))


# Indices and weights.


def steps_of(batches: Batches, epoch: int | None) -> list[tuple[Any, tf.Tensor]]:
    """Every batch of a data epoch, and the indices of its rows."""
    iterator = batches.make_iterator(epoch)
    get_next = tf.function(lambda step: batches.get_next(iterator, step))
    return [get_next(tf.constant(step)) for step in range(batches.steps)]


@EVERY_KIND
@pytest.mark.parametrize("epoch", [None, 0, 3])
def test_indices_are_the_places_of_the_rows_in_the_stored_order(make, epoch):
    batches = make()
    for (_, labels, _), indices in steps_of(batches, epoch):
        np.testing.assert_array_equal(labels, batches.labels[indices])


@EVERY_KIND
def test_rows_have_the_weights_of_their_examples_and_0_where_they_fill_up(make):
    batches = make()
    batches.weights = np.arange(batches.examples, dtype=np.float32)
    for step, ((_, _, weights), indices) in enumerate(steps_of(batches, 3)):
        present = min(batches.batch_size, batches.examples - step * batches.batch_size)
        np.testing.assert_array_equal(weights[:present], indices[:present])
        assert not np.any(weights[present:])


# Balanced epochs.


CLASSES = (np.arange(EXAMPLES) >= 8).astype(np.int32)
"""Eight examples of one class and two of another."""


def balanced(make: Any, **options: Any) -> Batches:
    """Batches of which `labels` gives those classes; the labels of batches are their numbers."""
    batches = make(**options)
    batches.balanced = True
    return batches


@pytest.fixture
def two_classes(monkeypatch):
    for kind in (FeatureBatches, StreamedFeatureBatches, ImageBatches):
        monkeypatch.setattr(kind, "labels", property(lambda self: CLASSES))


@EVERY_KIND
@pytest.mark.parametrize("epoch", [0, 1])
def test_a_balanced_epoch_takes_both_classes_equally_often(two_classes, make, epoch):
    batches = balanced(make)
    weighted = zip(labels_of(batches, epoch), weights_of(batches, epoch), strict=True)
    taken = [label for label, weight in weighted if weight]
    assert np.bincount(CLASSES[taken]).tolist() == [5, 5]


def test_a_balanced_epoch_has_as_many_steps_as_any(two_classes):
    batches = balanced(feature_batches)
    assert (batches.steps, batches.examples) == (3, EXAMPLES)
    assert weights_of(batches, 0) == [1.0] * EXAMPLES + [0.0] * 2


@EVERY_KIND
def test_balanced_batches_are_evaluated_with_every_example_once(two_classes, make):
    assert labels_of(balanced(make), None)[:EXAMPLES] == list(range(EXAMPLES))


@pytest.mark.parametrize("epoch", [0, 1])
def test_every_kind_has_the_same_balanced_order(two_classes, epoch):
    kinds = [balanced(kind) for kind in (feature_batches, streamed_feature_batches, image_batches)]
    first, *others = [labels_of(batches, epoch) for batches in kinds]
    assert all(other == first for other in others)


@EVERY_KIND
@pytest.mark.parametrize("first", [1, 2])
def test_from_a_step_within_a_balanced_epoch_batches_are_those_of_the_whole(
    two_classes, make, first
):
    require_the_rest(balanced(make), 1, first)


@EVERY_KIND
def test_indices_of_a_balanced_epoch_are_the_places_in_the_stored_order(two_classes, make):
    for (_, labels, _), indices in steps_of(balanced(make), 2):
        np.testing.assert_array_equal(labels, indices)


def test_a_split_that_is_shuffled_in_blocks_is_balanced_as_a_whole(two_classes):
    batches = balanced(image_batches)
    batches._split = dataclasses.replace(batches._split, shuffle_buffer_size=3)
    taken = labels_of(batches, 0)[:EXAMPLES]
    assert np.bincount(CLASSES[taken]).tolist() == [5, 5]
    assert sorted(taken) == sorted(labels_of(balanced(feature_batches), 0)[:EXAMPLES])


def test_an_image_that_comes_again_is_augmented_in_another_way(two_classes):
    batches = balanced(noisy_batches, augmentation=AUGMENTATION)
    drawn_images, labels, _ = (np.concatenate(c) for c in zip(*drawn(batches, 0), strict=True))
    again = drawn_images[:EXAMPLES][labels[:EXAMPLES] == 8]
    assert len(again) >= 2
    assert np.abs(again[0] - again[1]).max() > 0.02


def test_a_feature_that_comes_again_is_that_of_the_next_copy(two_classes):
    batches = balanced(lambda: copied(FeatureBatches))
    vectors, labels, _ = (
        np.concatenate(c)[:EXAMPLES] for c in zip(*drawn(batches, 0), strict=True)
    )
    copies = np.sort(vectors[labels == 8, 0] // EXAMPLES)
    assert copies.tolist() == list(range(len(copies)))[:COPIES]


@pytest.mark.parametrize("rows", [Rows(0, 1, BATCH), Rows(1, 4, BATCH)])
def test_the_rows_of_a_worker_are_those_of_the_whole_balanced_batch(two_classes, rows):
    options = {"augmentation": AUGMENTATION}
    whole = drawn(balanced(noisy_batches, **options), 1)
    part = drawn(balanced(noisy_batches, rows=rows, **options), 1)
    for expected, found in zip(whole, part, strict=True):
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one[rows.first : rows.last], other)
