"""Images a second through EfficientNet-Lite0, from JPEG to features, in one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_hub as hub

from benchmarks.measuring import Claim, Contestant, Folders, Medians, images_per_second, warmed_up
from tasks.flowers import Flowers
from trainer import Config
from trainer.data.pipeline.batches import image_batches
from trainer.data.readers.tfds import tfds_source
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor, load_network
from trainer.extractors.names import EMBEDDED
from trainer.features.features import EXTRACTION_BATCH, extract

MODULE = "efficientnet_lite0"
BATCHES, ROUNDS = 16, 5
PHOTOS = BATCHES * EXTRACTION_BATCH

LOADED, OURS, FORWARD = "the module as loaded", "ours", "ours, the forward alone"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """The hub's module and ours from JPEG, and ours without decoding; a run is 512 photos."""
    source = tfds_source(Flowers.dataset, {"train": f"train[:{PHOTOS}]"}, folders.data_dir)
    photos = source.splits["train"]
    extractor = Extractor.from_network(load_network(Config(extractor=MODULE)))
    runs = {
        LOADED: _as_loaded(photos, extractor),
        OURS: lambda: deque(extract(photos, extractor), maxlen=0),
        FORWARD: _forward(photos, extractor),
        "decoding alone": lambda: deque(_batches(photos, extractor), maxlen=0),
    }
    return warmed_up(
        [Contestant(name, images_per_second(run, PHOTOS), ROUNDS) for name, run in runs.items()]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as the module is, and what reading and decoding cost."""
    speed = {name: measures["images/s"] for name, measures in medians.items()}
    return [
        Claim(f"times as fast as {LOADED}", speed[OURS] / speed[LOADED], at_least=1.25),
        Claim(f"share of the speed of {FORWARD}", speed[OURS] / speed[FORWARD], at_least=0.9),
    ]


def _batches(photos: Split, extractor: Extractor) -> tf.data.Dataset:
    return image_batches(photos, extractor.image_size, EXTRACTION_BATCH)


def _as_loaded(photos: Split, extractor: Extractor) -> Callable[[], object]:
    module = hub.KerasLayer(EMBEDDED)

    def run() -> None:
        for images, _ in _batches(photos, extractor):
            module(images).numpy()

    return run


def _forward(photos: Split, extractor: Extractor) -> Callable[[], object]:
    images, _ = next(iter(_batches(photos, extractor)))

    def run() -> None:
        for _ in range(BATCHES):
            extractor(images).numpy()

    return run
