"""Images that stay in memory: the batches of those that are decoded in every epoch."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config
from trainer.data.splits import CLASS_SPEC, Source, Split
from trainer.loop.array_batches import ArrayBatches
from trainer.loop.batches import Batches, ImageBatches
from trainer.setup.batches import BatchFactory
from trainer.setup.decoded_images import decoded_batches, gigabytes_decoded

EXAMPLES, SIZE = 70, 6
CONFIG = Config(extractor="none", image_size=SIZE, batch_size=4, seed=3)


def noise(name: str = "noise", together: int = EXAMPLES) -> Split:
    """Images of noise, 7 x 5 pixels; of three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, [EXAMPLES, 7, 5, 3], np.uint8)
    files = [tf.io.encode_png(image).numpy() for image in pixels]
    labels = np.arange(EXAMPLES, dtype=np.int32) % 3
    pairs = tf.data.Dataset.from_tensor_slices((files, labels))
    return Split(name, EXAMPLES, "", lambda: pairs, tf.identity, together, str)


def weighted(split: Split) -> Split:
    weights = np.linspace(0.5, 2, EXAMPLES, dtype=np.float32)
    return dataclasses.replace(split, weights=weights)


def epochs(batches: Batches, order: list[int | None]) -> list[np.ndarray]:
    """Every tensor of every batch of some epochs, one behind the other."""
    taken = []
    for epoch in order:
        iterator = batches.make_iterator(epoch)
        get_next = tf.function(lambda step, iterator=iterator: batches.get_next(iterator, step))
        taken += [get_next(tf.constant(step)) for step in range(batches.steps)]
    return [tensor.numpy() for tensor in tf.nest.flatten(taken)]


@pytest.mark.parametrize(
    ("split", "resize", "channels"),
    [
        (noise(), "squash", 3),
        (weighted(noise()), "crop", 1),
        (noise(together=32), "pad", 3),
    ],
)
def test_batches_are_those_of_images_decoded_in_every_epoch(split, resize, channels):
    config = dataclasses.replace(CONFIG, resize=resize)
    in_memory = decoded_batches(split, SIZE, channels, config)
    streamed = ImageBatches(
        *(split, SIZE, config.batch_size, config.seed), channels=channels, resize=resize
    )
    assert in_memory.batch_spec == streamed.batch_spec
    expected = epochs(streamed, [0, 1, None])
    for one, other in zip(epochs(in_memory, [0, 1, None]), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("split", [noise(), noise(together=32)])
def test_balanced_batches_are_those_of_images_decoded_in_every_epoch(split):
    in_memory = decoded_batches(split, SIZE, 3, CONFIG)
    streamed = ImageBatches(split, SIZE, CONFIG.batch_size, CONFIG.seed)
    in_memory.balanced = streamed.balanced = True
    for one, other in zip(epochs(in_memory, [0, 1]), epochs(streamed, [0, 1]), strict=True):
        np.testing.assert_array_equal(one, other)


def kinds(**options: object) -> dict[str, type]:
    splits = {name: noise(name) for name in ("train", "validation", "test")}
    source = Source("folder", "noise", None, ("a", "b", "c"), splits)
    config = dataclasses.replace(CONFIG, **options)
    return {name: type(made) for name, made in BatchFactory(config).batches(source).items()}


def test_images_that_every_epoch_takes_as_they_are_stay_in_memory():
    assert kinds() == {"train": ArrayBatches, "validation": ArrayBatches, "test": ImageBatches}


@pytest.mark.parametrize("options", [{"augment": "light"}, {"mixup": 0.2}])
def test_images_that_training_varies_are_decoded_in_every_epoch(options):
    assert kinds(**options) == {
        **{"train": ImageBatches, "validation": ArrayBatches, "test": ImageBatches}
    }


def test_images_that_do_not_fit_into_the_memory_for_them_are_decoded_in_every_epoch():
    needed = 2 * gigabytes_decoded(noise(), SIZE, 3)
    assert needed == 2 * EXAMPLES * SIZE * SIZE * 3 * 4 / 1e9
    assert set(kinds(feature_memory=needed * 0.99).values()) == {ImageBatches}
    assert kinds(feature_memory=needed)["train"] == ArrayBatches


def test_labels_are_those_of_the_split():
    batches = decoded_batches(noise(), SIZE, 3, CONFIG)
    assert noise().label_spec == CLASS_SPEC
    np.testing.assert_array_equal(batches.labels, noise().labels())
