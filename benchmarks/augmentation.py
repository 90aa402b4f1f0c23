"""Images a second through augmentation: decoded, 224 pixels a side, in one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

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


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Keras' generator, our pipeline, and our transform by itself."""
    source = tfds_source(Flowers.dataset, {"train": f"train[:{PHOTOS}]"}, folders.data_dir)
    batches = image_batches(source.splits["train"], SIDE, PHOTOS)
    photos = next(batches.as_numpy_iterator())[0]
    runs = {KERAS: _generator(photos), OURS: _pipeline(photos), ALONE: _transform(photos)}
    return warmed_up(
        [Contestant(name, images_per_second(run, PHOTOS), ROUNDS) for name, run in runs.items()]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as Keras, and what the pipeline around our transform costs."""
    speed = {name: measures["images/s"] for name, measures in medians.items()}
    return [
        Claim(f"times as fast as {KERAS}", speed[OURS] / speed[KERAS], at_least=5),
        Claim(f"share of the speed of {ALONE}", speed[OURS] / speed[ALONE]),
    ]


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


def _pipeline(photos: np.ndarray) -> Callable[[], object]:
    augment = EpochAugmentation(SETTINGS, seed=0, epoch=0)
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
