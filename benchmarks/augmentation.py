"""Images a second through augmentation: decoded, 224 pixels a side, in one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.measuring import Claim, Contestant, Folders, Medians, images_per_second, warmed_up
from tasks.flowers import Flowers
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import Augmentation
from trainer.data.pipeline.batches import PREFETCH, image_batches, without_autotune
from trainer.data.readers.tfds import tfds_source

SIDE, BATCH, BATCHES, ROUNDS = 224, 32, 8, 5
PHOTOS = BATCHES * BATCH

SETTINGS = Augmentation(
    rotation=40.0, width_shift=0.2, height_shift=0.2, shear=10.0, zoom=0.2, flip="horizontal"
)
"""As in the tutorials, with a visible shear."""

KERAS, OURS, ALONE = "Keras' ImageDataGenerator", "ours", "ours, the transform alone"

OF_LAYERS = 2 * BATCH
"""Photos a run of Keras' layers, of which the slowest takes a fifth of a second for each."""

PARTS = {
    "movements": SETTINGS,
    "crop": Augmentation(crop=0.5),
    "colour jitter": Augmentation(brightness=0.2, contrast=0.2, hue=0.1, saturation=0.4),
    "RandAugment": Augmentation(rand_augment=2, rand_magnitude=9.0),
    "erasing": Augmentation(erasing=0.25),
}
"""What Keras' layers do too, one after the other."""

FIXED_CROP = "Keras' layers: RandomCrop, resized"
"""Of one size, and at one place for a whole batch; ours is of another size and place for each
image, as Keras' RandomZoom and RandomTranslation are."""


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Keras' generator, our pipeline, our transform alone; Keras' layers and ours of the same."""
    source = tfds_source(Flowers.dataset, {"train": f"train[:{PHOTOS}]"}, folders.data_dir)
    batches = image_batches(source.splits["train"], SIDE, PHOTOS)
    photos = next(batches.as_numpy_iterator())[0]
    runs = {
        KERAS: _generator(photos),
        OURS: _pipeline(photos, SETTINGS),
        ALONE: _transform(photos),
    }
    whole = [Contestant(name, images_per_second(run, PHOTOS), ROUNDS) for name, run in runs.items()]
    return warmed_up([*whole, *_parts(photos)])


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as Keras, and what the pipeline around our transform costs."""
    speed = {name: measures["images/s"] for name, measures in medians.items()}
    return [
        Claim(f"times as fast as {KERAS}", speed[OURS] / speed[KERAS], at_least=5),
        Claim(f"share of the speed of {ALONE}", speed[OURS] / speed[ALONE]),
        *(
            Claim(
                f"{part}: times as fast as Keras' layers",
                speed[_ours(part)] / speed[_keras(part)],
                at_least=5,
            )
            for part in PARTS
        ),
        Claim(f"crop: times as fast as {FIXED_CROP}", speed[_ours("crop")] / speed[FIXED_CROP]),
    ]


def _parts(photos: np.ndarray) -> Iterator[Contestant]:
    for part, settings in PARTS.items():
        ours, theirs = _pipeline(photos, settings), _layers(photos, _layers_of(part))
        yield Contestant(_ours(part), images_per_second(ours, PHOTOS), ROUNDS)
        yield Contestant(_keras(part), images_per_second(theirs, OF_LAYERS), ROUNDS)
    fixed = _layers(photos, [layers.RandomCrop(160, 160), layers.Resizing(SIDE, SIDE)])
    yield Contestant(FIXED_CROP, images_per_second(fixed, OF_LAYERS), ROUNDS)


def _ours(part: str) -> str:
    return f"ours: {part}"


def _keras(part: str) -> str:
    return f"Keras' layers: {part}"


def _layers_of(part: str) -> list[keras.layers.Layer]:
    """Those of Keras that do what we do, by as much at most."""
    in_range = {"value_range": (0.0, 1.0)}
    jitter = layers.RandomColorJitter(
        **in_range,
        brightness_factor=0.2,
        contrast_factor=0.2,
        saturation_factor=(0.3, 0.7),
        hue_factor=0.2,
    )
    by_part = {
        "movements": [
            layers.RandomRotation(40 / 360, fill_mode=SETTINGS.fill),
            layers.RandomTranslation(0.2, 0.2, fill_mode=SETTINGS.fill),
            layers.RandomShear(0.17, 0.0, fill_mode=SETTINGS.fill),
            layers.RandomZoom(0.2, 0.2, fill_mode=SETTINGS.fill),
            layers.RandomFlip("horizontal"),
        ],
        "crop": [layers.RandomZoom((-0.3, 0.0), (-0.3, 0.0)), layers.RandomTranslation(0.15, 0.15)],
        "colour jitter": [jitter],
        "RandAugment": [layers.RandAugment(**in_range, num_ops=2, factor=9 / 30)],
        "erasing": [layers.RandomErasing((0.25, 0.25), (0.02, 0.4), **in_range)],
    }
    return by_part[part]


def _layers(photos: np.ndarray, chosen: list[keras.layers.Layer]) -> Callable[[], object]:
    """Keras' layers in a pipeline of batches, as its guides have them."""

    def augment(images: tf.Tensor) -> tf.Tensor:
        for layer in chosen:
            images = layer(images, training=True)
        return images

    decoded = tf.data.Dataset.from_tensor_slices(photos[:OF_LAYERS])
    batches = decoded.batch(BATCH, drop_remainder=True)
    augmented = batches.map(augment, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    ready = without_autotune(augmented.prefetch(PREFETCH))
    return lambda: deque(ready, maxlen=0)


def _generator(photos: np.ndarray) -> Callable[[], object]:
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=SETTINGS.rotation,
        width_shift_range=SETTINGS.width_shift,
        height_shift_range=SETTINGS.height_shift,
        shear_range=SETTINGS.shear,
        zoom_range=SETTINGS.zoom,
        horizontal_flip=True,
        fill_mode=SETTINGS.fill,
    )
    batches = generator.flow(photos, batch_size=BATCH, shuffle=False)
    return lambda: [next(batches) for _ in range(BATCHES)]


def _pipeline(photos: np.ndarray, settings: Augmentation) -> Callable[[], object]:
    augment = EpochAugmentation(settings, seed=0, epoch=0)
    decoded = tf.data.Dataset.from_tensor_slices(photos).enumerate()
    augmented = decoded.map(
        lambda position, photo: augment(photo, position),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    batches = without_autotune(augmented.batch(BATCH, drop_remainder=True).prefetch(PREFETCH))
    return lambda: deque(batches, maxlen=0)


def _transform(photos: np.ndarray) -> Callable[[], object]:
    augment = tf.function(EpochAugmentation(SETTINGS, seed=0, epoch=0))
    examples = [(tf.constant(photo), tf.constant(n, tf.int64)) for n, photo in enumerate(photos)]
    return lambda: [augment(*example) for example in examples]
