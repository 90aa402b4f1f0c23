"""Convolutional nets from scratch, horses-cnn and fashion, batches of 32, in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf
import tensorflow_datasets as tfds

from benchmarks.loops import Learner, TrainOnly, prefetched, repeated_fit
from benchmarks.measuring import (
    Claim,
    Contestant,
    Folders,
    Medians,
    milliseconds_per_step,
    warmed_up,
)
from tasks.fashion import Fashion
from tasks.horses_cnn import HorsesCnn
from trainer import Config, Task, samples
from trainer.data.readers.tfds import tfds_source
from trainer.setup.batches import BatchFactory

BATCH, EPOCHS, ROUNDS = 32, 5, 5

FIT, OURS, BARE = "Keras fit", "ours", "the bare step, on one batch"
DECODING = "ours, decoding in every epoch"


@dataclasses.dataclass(frozen=True)
class Workload:
    """A task, and its first photos as TFDS has them."""

    task: Task
    dataset: str
    data_dir: Path
    classes: int
    steps: int
    """Of an epoch."""

    @property
    def name(self) -> str:
        """The task's."""
        return self.task.name

    @property
    def split(self) -> str:
        """So many photos, in TFDS's words."""
        return f"train[:{self.steps * BATCH}]"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image."""
        side = self.task.defaults.image_size or 0
        return side, side, self.task.channels

    def network(self) -> keras.Model:
        """The task's own."""
        return self.task.head(self.classes)

    def loss(self) -> keras.losses.Loss:
        """Of logits: one for two classes, else one for each."""
        if self.classes == 2:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def accuracy(self) -> keras.metrics.Metric:
        """Likewise."""
        if self.classes == 2:
            return keras.metrics.BinaryAccuracy(threshold=0.0)
        return keras.metrics.SparseCategoricalAccuracy()


def workloads(data_dir: Path) -> Sequence[Workload]:
    """Images of 300 pixels a side from TFDS, and of 28 from the built-in sample."""
    return [
        Workload(HorsesCnn(), HorsesCnn.dataset, data_dir, classes=2, steps=6),
        Workload(Fashion(), Fashion.sample, samples.FOLDER, classes=10, steps=30),
    ]


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Keras, ours, and the step alone, on one batch; a run is a few epochs of some steps."""
    return warmed_up(
        [
            Contestant(
                f"{workload.name}: {name}",
                milliseconds_per_step(make(workload), EPOCHS * workload.steps),
                ROUNDS,
            )
            for workload in workloads(folders.data_dir)
            for name, make in MAKERS.items()
        ]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as Keras, and how near to the step alone."""
    step = {name: measures["ms a step"] for name, measures in medians.items()}
    tasks = dict.fromkeys(name.partition(": ")[0] for name in step)
    return [
        claim
        for task in tasks
        for claim in (
            Claim(
                f"{task}: times as fast as {FIT}",
                step[f"{task}: {FIT}"] / step[f"{task}: {OURS}"],
                at_least=1.0,
            ),
            Claim(
                f"{task}: share of the speed of {BARE}",
                step[f"{task}: {BARE}"] / step[f"{task}: {OURS}"],
            ),
        )
    ]


def ours(workload: Workload, feature_memory: float = Config.feature_memory) -> Callable[[], None]:
    """Epochs of the trainer, with images in memory as a run has them."""
    splits = {"train": workload.split, "validation": f"train[:{BATCH}]"}
    source = tfds_source(workload.dataset, splits, workload.data_dir)
    config = Config(  # Adam for all, not the task's own optimizer
        extractor="none",
        image_size=workload.shape[0],
        batch_size=BATCH,
        epochs=EPOCHS,
        feature_memory=feature_memory,
    )
    batches = BatchFactory(config, workload.task.channels).batches(source)
    return repeated_fit(TrainOnly(workload.task, config, source.classes, batches))


def _decoding(workload: Workload) -> Callable[[], None]:
    return ours(workload, feature_memory=0.0)


def _fit(workload: Workload) -> Callable[[], object]:
    model = workload.network()
    model.compile(keras.optimizers.Adam(1e-3), workload.loss(), metrics=[workload.accuracy()])
    batches = _usual_batches(workload)
    return lambda: model.fit(batches, epochs=EPOCHS, shuffle=False, verbose=0)


def _bare_steps(workload: Workload) -> Callable[[], None]:
    learner = Learner(
        workload.network(), [BATCH, *workload.shape], workload.loss(), workload.accuracy()
    )
    step = tf.function(learner.step)
    images, labels = next(iter(_usual_batches(workload)))

    def steps() -> None:
        for _ in range(EPOCHS * workload.steps):
            step(images, labels)
        learner.report()

    return steps


MAKERS = {FIT: _fit, OURS: ours, DECODING: _decoding, BARE: _bare_steps}


def _usual_batches(workload: Workload) -> tf.data.Dataset:
    photos = tfds.load(workload.dataset, split=workload.split, data_dir=workload.data_dir)
    side, *_ = workload.shape

    def prepare(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.image.resize(example["image"], [side, side]) / 255.0, example["label"][None]

    shuffled = photos.shuffle(workload.steps * BATCH)
    prepared = shuffled.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    return prefetched(prepared.batch(BATCH))
