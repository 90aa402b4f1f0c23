"""Images a second through the extractors of docs/transfer.md, the forward pass alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import tensorflow as tf

from benchmarks.measuring import Claim, Contestant, Folders, Medians, images_per_second, warmed_up
from trainer.config.transfer import TransferOptions
from trainer.core.concurrency import side_by_side
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import EXTRACTION_BATCH

NETWORKS = {
    "efficientnet_lite0": TransferOptions(extractor="efficientnet_lite0"),
    "efficientnet_lite2": TransferOptions(extractor="efficientnet_lite2"),
    # The network of mobilenet_v2, with random weights, which cost as much as trained ones.
    "MobileNetV2": TransferOptions(extractor="keras:MobileNetV2", weights="none"),
}
BATCHES, ROUNDS = 32, 5


def contestants(_: Folders) -> Sequence[Contestant]:
    """Each extractor on images of its own size in memory; a run is 32 batches."""
    images = BATCHES * EXTRACTION_BATCH
    return warmed_up(
        [
            Contestant(name, images_per_second(_forward(options), images), ROUNDS)
            for name, options in NETWORKS.items()
        ]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """What the larger network costs."""
    speed = {name: measures["images/s"] for name, measures in medians.items()}
    share = speed["efficientnet_lite2"] / speed["efficientnet_lite0"]
    return [Claim("efficientnet_lite2: share of the speed of efficientnet_lite0", share)]


def _forward(options: TransferOptions) -> Callable[[], object]:
    extractor = Extractor.from_network(load_network(options))
    size = extractor.image_size
    images = tf.random.stateless_uniform([EXTRACTION_BATCH, size, size, 3], seed=[1, 2])
    calls = [lambda: extractor(images).numpy()] * BATCHES
    return lambda: deque(side_by_side(calls), maxlen=0)
