"""What a frozen extractor makes of a split: each image once, in the stored order."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config
from trainer.data.pipeline.augment import PRESETS, EpochAugmentation
from trainer.data.pipeline.batches import image_batches
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import EXTRACTION_BATCH, Features, StoredFeatures, extract, joined

EXAMPLES = EXTRACTION_BATCH + 3


@pytest.fixture(scope="module")
def extractor(vector_module):
    return Extractor.from_network(load_network(Config(extractor=str(vector_module))))


@pytest.fixture
def split(split_of, picture, encoded):
    return split_of([encoded(picture(number), "PNG") for number in range(EXAMPLES)])


@pytest.fixture
def features(split, extractor):
    return joined(extract(split, extractor))


def pixels(image):
    return np.asarray(image, np.float32) / 255


def test_features_are_those_of_each_image_by_itself(features, extractor, picture):
    by_hand = [extractor(pixels(picture(number))[None])[0] for number in range(EXAMPLES)]
    np.testing.assert_allclose(features.vectors, by_hand, rtol=1e-5)


def test_features_are_in_the_stored_order(features):
    assert features.labels.tolist() == list(range(EXAMPLES))


def test_features_are_of_the_images_alone_without_padding(features, extractor):
    assert features.vectors.shape == (EXAMPLES, *extractor.shape)


def test_features_are_float32_and_labels_int32(features):
    assert (features.vectors.dtype, features.labels.dtype) == (np.float32, np.int32)


@pytest.mark.parametrize("examples", [1, EXTRACTION_BATCH, 2 * EXTRACTION_BATCH])
def test_any_number_of_images_passes(split_of, encoded, picture, extractor, examples):
    split = split_of([encoded(picture(0), "PNG")] * examples)
    assert joined(extract(split, extractor)).examples == examples


def test_each_image_passes_the_extractor_once(split, extractor):
    passed = []

    def network(images):
        passed.extend(images.numpy()[tf.reduce_any(images > 0, [1, 2, 3])])  # padding is black
        return extractor(images)

    list(extract(split, Extractor("counting", 8, extractor.shape, network)))
    assert len(passed) == len({image.tobytes() for image in passed}) == EXAMPLES


def test_features_come_some_at_a_time(split, extractor):
    assert [part.examples for part in extract(split, extractor)] == [EXTRACTION_BATCH, 3]


@pytest.fixture
def stored(features):
    """The same features, in three shards."""
    bounds = [(0, 4), (4, 30), (30, EXAMPLES)]
    return StoredFeatures(
        [Features(features.vectors[a:b], features.labels[a:b]) for a, b in bounds]
    )


def test_stored_features_are_loaded_whole(stored, features):
    np.testing.assert_array_equal(stored.loaded().vectors, features.vectors)


@pytest.mark.parametrize("numbers", [[0], [4, 3], [34, 0, 29, 30, 4], [7, 7], []])
def test_rows_of_stored_features_come_in_the_order_asked_for(stored, features, numbers):
    rows = stored.rows(np.array(numbers, int))
    np.testing.assert_array_equal(rows.vectors, features.vectors[np.array(numbers, int)])
    assert rows.labels.tolist() == numbers


def test_stored_features_tell_the_memory_they_would_take(stored, features):
    assert stored.bytes == features.vectors.nbytes


def test_features_of_varied_images_are_those_of_image_batches_that_are_varied(split, extractor):
    variation = EpochAugmentation(PRESETS["strong"], seed=0, epoch=1)
    varied = joined(extract(split, extractor, variation))
    batches = image_batches(split, 8, EXTRACTION_BATCH, variation=variation)
    expected = np.concatenate([extractor(images) for images, _ in batches])[:EXAMPLES]
    np.testing.assert_array_equal(varied.vectors, expected)
