"""What a frozen extractor makes of images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.batches import image_batches
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor

EXTRACTION_BATCH = 32
"""Images a call of the extractor; not --batch-size, on which no feature should depend."""


@dataclasses.dataclass(frozen=True)
class Features:
    """The features of some examples, in their stored order."""

    vectors: np.ndarray
    """float32 [examples, *shape], the shape being that of one image's features."""

    labels: np.ndarray
    """int32 [examples]."""

    @property
    def examples(self) -> int:
        """How many."""
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class StoredFeatures:
    """The features of one split where they are kept, mapped into memory shard by shard."""

    shards: Sequence[Features]

    @property
    def examples(self) -> int:
        """How many."""
        return sum(shard.examples for shard in self.shards)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features of one example."""
        return self.shards[0].vectors.shape[1:]

    @property
    def bytes(self) -> int:
        """How much memory they take when they are loaded."""
        return sum(shard.vectors.nbytes for shard in self.shards)

    def loaded(self) -> Features:
        """All of them, in memory."""
        return joined(self.shards)

    def rows(self, numbers: np.ndarray) -> Features:
        """Those of some examples, int [rows], read from the disk."""
        starts = np.cumsum([0, *(shard.examples for shard in self.shards)])
        found = Features(
            np.empty([len(numbers), *self.shape], np.float32), np.empty([len(numbers)], np.int32)
        )
        of_row = np.searchsorted(starts, numbers, side="right") - 1
        for number in np.unique(of_row):
            here, shard = of_row == number, self.shards[number]
            within = numbers[here] - starts[number]
            found.vectors[here] = shard.vectors[within]
            found.labels[here] = shard.labels[within]
        return found


def extract(
    split: Split, extractor: Extractor, variation: EpochAugmentation | None = None
) -> Iterator[Features]:
    """Every image of a split through the extractor, varied or as it is, some at a time."""
    batches = image_batches(split, extractor.image_size, EXTRACTION_BATCH, variation=variation)
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
