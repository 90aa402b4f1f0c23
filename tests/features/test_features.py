"""The features of a split: of each image once, in the stored order."""

import numpy as np
import pytest

from trainer.config.transfer import TransferOptions
from trainer.core import concurrency
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import PRESETS
from trainer.data.pipeline.batches import image_batches
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import (
    EXTRACTION_BATCH,
    Features,
    StoredFeatures,
    concatenate,
    extract,
)

EXAMPLES = EXTRACTION_BATCH + 3


@pytest.fixture(scope="module")
def extractor(vector_module):
    return Extractor.from_network(load_network(TransferOptions(extractor=str(vector_module))))


@pytest.fixture
def split(split_of, picture, encoded):
    return split_of([encoded(picture(number), "PNG") for number in range(EXAMPLES)])


@pytest.fixture
def features(split, extractor):
    return concatenate(extract(split, extractor))


def pixels(image):
    return np.asarray(image, np.float32) / 255


def test_features_do_not_depend_on_the_batch(features, extractor, picture):
    by_hand = [extractor(pixels(picture(number))[None])[0] for number in range(EXAMPLES)]
    np.testing.assert_allclose(features.vectors, by_hand, rtol=1e-5)


def test_features_are_in_the_stored_order(features):
    assert features.labels.tolist() == list(range(EXAMPLES))


def test_rows_that_fill_the_last_batch_up_have_no_features(features, extractor):
    assert features.vectors.shape == (EXAMPLES, *extractor.shape)


def test_features_are_float32_and_labels_int32(features):
    assert (features.vectors.dtype, features.labels.dtype) == (np.float32, np.int32)


@pytest.mark.parametrize("examples", [1, EXTRACTION_BATCH, 2 * EXTRACTION_BATCH])
def test_a_split_may_have_any_number_of_images(split_of, encoded, picture, extractor, examples):
    split = split_of([encoded(picture(0), "PNG")] * examples)
    assert concatenate(extract(split, extractor)).examples == examples


def test_each_image_is_extracted_once(split, extractor):
    passed = []

    def network(images):
        passed.extend(images.numpy())
        return extractor(images)

    list(extract(split, Extractor("counting", 8, extractor.shape, network)))
    assert len({image.tobytes() for image in passed}) == EXAMPLES
    assert len(passed) == 2 * EXTRACTION_BATCH  # the last one is filled up


def test_features_are_the_same_bits_however_many_batches_pass_side_by_side(
    split_of, picture, encoded, extractor, monkeypatch
):
    split = split_of([encoded(picture(number), "PNG") for number in range(9 * EXTRACTION_BATCH)])

    def with_calls(at_once):
        monkeypatch.setattr(concurrency, "calls_at_once", lambda: at_once)
        return concatenate(extract(split, extractor))

    one, several = with_calls(1), with_calls(4)
    np.testing.assert_array_equal(one.vectors, several.vectors)
    np.testing.assert_array_equal(one.labels, several.labels)


def test_features_come_batch_by_batch(split, extractor):
    assert [part.examples for part in extract(split, extractor)] == [EXTRACTION_BATCH, 3]


@pytest.fixture
def stored(features):
    """The same features, in three shards."""
    bounds = [(0, 4), (4, 9), (9, EXAMPLES)]
    return StoredFeatures(
        [Features(features.vectors[a:b], features.labels[a:b]) for a, b in bounds]
    )


def test_stored_features_can_be_loaded(stored, features):
    np.testing.assert_array_equal(stored.load().vectors, features.vectors)


@pytest.mark.parametrize("numbers", [[0], [4, 3], [10, 0, 8, 9, 4], [7, 7], []])
def test_rows_are_read_in_the_order_of_their_numbers(stored, features, numbers):
    rows = stored.rows(np.array(numbers, int))
    np.testing.assert_array_equal(rows.vectors, features.vectors[np.array(numbers, int)])
    assert rows.labels.tolist() == numbers


def test_the_memory_that_stored_features_would_take_is_known(stored, features):
    assert stored.bytes == features.vectors.nbytes


def test_augmented_features_are_those_of_augmented_image_batches(split, extractor):
    augmentation = EpochAugmentation(PRESETS["strong"], seed=0, epoch=1)
    augmented = concatenate(extract(split, extractor, augmentation))
    batches = image_batches(split, 8, EXTRACTION_BATCH, augmentation=augmentation)
    expected = np.concatenate([extractor(images) for images, _ in batches])[:EXAMPLES]
    np.testing.assert_array_equal(augmented.vectors, expected)
