"""A convolutional net on horses_or_humans, 300 pixels a side, batches of 32, in one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf
import tensorflow_datasets as tfds

from benchmarks.loops import Learner, TrainOnly, prefetched, repeated_epoch
from benchmarks.measuring import (
    Claim,
    Contestant,
    Folders,
    Medians,
    milliseconds_per_step,
    warmed_up,
)
from tasks.horses_cnn import HorsesCnn
from trainer import Config
from trainer.data.readers.tfds import tfds_source
from trainer.loop.batches import ImageBatches

SIDE, BATCH, STEPS, ROUNDS = 300, 32, 12, 5
PHOTOS = f"train[:{STEPS * BATCH}]"

FIT, OURS, BARE = "Keras fit", "ours", "the bare step, on one batch"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Keras, ours, and the step alone, on one batch; a run is twelve steps."""
    runs = {
        FIT: _fit(folders.data_dir),
        OURS: _ours(folders.data_dir),
        BARE: _bare_steps(folders.data_dir),
    }
    return warmed_up(
        [Contestant(name, milliseconds_per_step(run, STEPS), ROUNDS) for name, run in runs.items()]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as Keras, and how near to the step alone."""
    step = {name: measures["ms a step"] for name, measures in medians.items()}
    return [
        Claim(f"times as fast as {FIT}", step[FIT] / step[OURS], at_least=1.5),
        Claim(f"share of the speed of {BARE}", step[BARE] / step[OURS], at_least=0.95),
    ]


def _fit(data_dir: Path) -> Callable[[], object]:
    model = _network()
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    batches = _usual_batches(data_dir)
    return lambda: model.fit(batches, epochs=1, shuffle=False, verbose=0)


def _ours(data_dir: Path) -> Callable[[], None]:
    source = tfds_source(HorsesCnn.dataset, {"train": PHOTOS}, data_dir)
    batches = ImageBatches(source.splits["train"], SIDE, BATCH, seed=0)
    splits = {"train": batches, "validation": batches}
    config = Config(epochs=1, batch_size=BATCH)  # Adam as the others, not the task's RMSprop
    return repeated_epoch(TrainOnly(HorsesCnn(), config, source.classes, splits))


def _bare_steps(data_dir: Path) -> Callable[[], None]:
    learner = Learner(
        _network(),
        [BATCH, SIDE, SIDE, 3],
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.metrics.BinaryAccuracy(threshold=0.0),
    )
    step = tf.function(learner.step)
    images, labels = next(iter(_usual_batches(data_dir)))

    def steps() -> None:
        for _ in range(STEPS):
            step(images, labels)
        learner.report()

    return steps


def _network() -> keras.Model:
    return HorsesCnn().head(classes=2)


def _usual_batches(data_dir: Path) -> tf.data.Dataset:
    photos = tfds.load(HorsesCnn.dataset, split=PHOTOS, data_dir=data_dir, as_supervised=True)

    def prepare(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.image.resize(image, [SIDE, SIDE]) / 255.0, label[None]

    prepared = photos.shuffle(STEPS * BATCH).map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    return prefetched(prepared.batch(BATCH))
