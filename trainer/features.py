"""What a frozen extractor makes of a split: every image passes it once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from trainer.data.images import image_batches
from trainer.data.splits import Split
from trainer.extractors import Extractor

EXTRACTION_BATCH = 32
"""Images a call of the extractor; not --batch-size, on which no feature should depend."""


@dataclasses.dataclass(frozen=True)
class Features:
    """The features of one split, in its stored order."""

    vectors: np.ndarray
    """float32 [examples, width]."""

    labels: np.ndarray
    """int32 [examples]."""


def extract(split: Split, extractor: Extractor, progress: Callable[[int, int], None]) -> Features:
    """Every image of a split through the extractor; `progress(done, examples)` as it goes."""
    vectors = np.empty([split.examples, extractor.width], np.float32)
    labels = np.empty([split.examples], np.int32)
    batches = image_batches(split, extractor.image_size, EXTRACTION_BATCH)
    for first, (images, batch_labels) in zip(
        range(0, split.examples, EXTRACTION_BATCH), batches, strict=True
    ):
        last = min(first + EXTRACTION_BATCH, split.examples)  # the padding is left behind
        vectors[first:last] = extractor(images)[: last - first]
        labels[first:last] = batch_labels[: last - first]
        progress(last, split.examples)
    return Features(vectors, labels)
