"""What a frozen extractor makes of images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from trainer.data.images import image_batches
from trainer.data.splits import Split
from trainer.extractors import Extractor

EXTRACTION_BATCH = 32
"""Images a call of the extractor; not --batch-size, on which no feature should depend."""


@dataclasses.dataclass(frozen=True)
class Features:
    """The features of some examples, in their stored order."""

    vectors: np.ndarray
    """float32 [examples, width]."""

    labels: np.ndarray
    """int32 [examples]."""

    @property
    def examples(self) -> int:
        """How many."""
        return len(self.labels)


def extract(split: Split, extractor: Extractor) -> Iterator[Features]:
    """Every image of a split through the extractor, some at a time."""
    batches = image_batches(split, extractor.image_size, EXTRACTION_BATCH)
    for first, (images, labels) in zip(
        range(0, split.examples, EXTRACTION_BATCH), batches, strict=True
    ):
        present = min(EXTRACTION_BATCH, split.examples - first)  # the padding is left behind
        yield Features(extractor(images).numpy()[:present], labels.numpy()[:present])


def joined(parts: Iterable[Features]) -> Features:
    """Features one behind the other."""
    kept = list(parts)
    return Features(
        np.concatenate([part.vectors for part in kept]),
        np.concatenate([part.labels for part in kept]),
    )
