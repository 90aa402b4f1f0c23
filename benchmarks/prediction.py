"""Images a second through a trained network, from files to scores, beside its forward alone."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

import trainer
from benchmarks.measuring import Claim, Contestant, Folders, Medians, images_per_second, warmed_up
from benchmarks.photo_files import write_photos
from tasks.flowers import Flowers
from trainer.core.concurrency import side_by_side
from trainer.data.pipeline.batches import decode_and_resize
from trainer.features.features import EXTRACTION_BATCH

BATCHES, ROUNDS = 64, 5
PHOTOS = BATCHES * EXTRACTION_BATCH

OURS, FORWARD = "predict", "the forward alone"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Predictions of 512 JPEG files, and of as many images that are decoded already."""
    photos = folders.scratch / "photos"
    write_photos(folders.data_dir, photos, PHOTOS)
    files = [str(file) for file in sorted(photos.rglob("*.jpg"))]
    run = _trained(folders)
    runs = {OURS: lambda: deque(run.predict_files(files), maxlen=0), FORWARD: _forward(run, files)}
    return warmed_up(
        [Contestant(name, images_per_second(one, PHOTOS), ROUNDS) for name, one in runs.items()]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """What is left of the forward's speed when files are read and decoded beside it."""
    speed = {name: measures["images/s"] for name, measures in medians.items()}
    return [Claim(f"{OURS}: share of the speed of {FORWARD}", speed[OURS] / speed[FORWARD], 0.85)]


def _trained(folders: Folders) -> trainer.Run:
    config = dataclasses.replace(
        Flowers.defaults,
        epochs=1,
        data="sample",
        cache_dir=folders.scratch / "cache",
        log_dir=folders.scratch / "logs",
    )
    return trainer.train(Flowers(), config)


def _forward(run: trainer.Run, files: Sequence[str]) -> Callable[[], object]:
    from trainer.trained.network import whole_network

    network = whole_network(run.model, run.folder, run.task, run.config)
    size = network.input_spec.shape[1]
    encoded = [Path(file).read_bytes() for file in files[:EXTRACTION_BATCH]]
    images = tf.stack([decode_and_resize(tf.constant(one), size) for one in encoded])
    forward = tf.function(network)
    calls = [lambda: forward(images).numpy()] * BATCHES
    return lambda: deque(side_by_side(calls), maxlen=0)
