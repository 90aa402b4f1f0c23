"""Features of the images of a split, in memory and on disk, and their extraction."""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.transfer import Resize
from trainer.core.concurrency import side_by_side
from trainer.core.errors import UserError
from trainer.data.labels import from_columns
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.batches import Blocks, image_batches
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor

EXTRACTION_BATCH = 8
"""Images in a call of the extractor; not --batch-size, on which features must not depend.

So few that what one layer hands to the next stays in a processor's cache. Without oneDNN TensorFlow
takes large buffers from the system, and gives them back, at every layer."""


@dataclasses.dataclass(frozen=True)
class Features:
    """The features of some examples, in their stored order."""

    vectors: np.ndarray
    """float32 or float16 [examples, *shape], the shape being that of one image's features."""

    labels: np.ndarray
    """Classes int32 [examples], float32 [examples, names], or a field for each column."""

    @property
    def examples(self) -> int:
        """Number of examples."""
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class StoredFeatures:
    """The features of one split in files, mapped into memory shard by shard."""

    shards: Sequence[Features]

    @property
    def examples(self) -> int:
        """Number of examples."""
        return sum(shard.examples for shard in self.shards)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example's features."""
        return self.shards[0].vectors.shape[1:]

    @property
    def labels(self) -> np.ndarray:
        """Those of all examples, in memory."""
        return np.concatenate([shard.labels for shard in self.shards])

    @property
    def bytes(self) -> int:
        """Bytes of memory that the vectors take when they are loaded."""
        return sum(shard.vectors.nbytes for shard in self.shards)

    def load(self) -> Features:
        """All features, in memory."""
        return concatenate(self.shards)

    def rows(self, numbers: np.ndarray) -> Features:
        """The features of some examples, int [rows], read from the disk; float32."""
        starts = np.cumsum([0, *(shard.examples for shard in self.shards)])
        labels = self.shards[0].labels
        found = Features(
            np.empty([len(numbers), *self.shape], np.float32),
            np.empty([len(numbers), *labels.shape[1:]], labels.dtype),
        )
        shard_numbers = np.searchsorted(starts, numbers, side="right") - 1
        for number in np.unique(shard_numbers):
            here, shard = shard_numbers == number, self.shards[number]
            within = numbers[here] - starts[number]
            found.vectors[here] = shard.vectors[within]
            found.labels[here] = shard.labels[within]
        return found


def extract(
    split: Split,
    extractor: Extractor,
    augmentation: EpochAugmentation | None = None,
    dtype: str = "float32",
    resize: Resize = "squash",
) -> Iterator[Features]:
    """The features of every image of a split, augmented or as it is, batch by batch.

    Raises:
        UserError: one is too large for the dtype.
    """
    batches = image_batches(
        split, extractor.image_size, EXTRACTION_BATCH, augmentation=augmentation, resize=resize
    )
    starts = range(0, split.examples, EXTRACTION_BATCH)
    yield from side_by_side(
        functools.partial(_batch_features, extractor, batch, split.examples - first, dtype)
        for first, batch in zip(starts, batches, strict=True)
    )


def extract_shards(
    split: Split,
    extractor: Extractor,
    shard_rows: int,
    claim: Callable[[int], bool],
    augmentation: EpochAugmentation | None = None,
    dtype: str = "float32",
    resize: Resize = "squash",
) -> Iterator[tuple[int, Features]]:
    """The number of a shard and the features of one of its batches, shard by shard.

    One pipeline passes over all shards: the next is claimed and decoded while the last batches of
    the one before it are extracted.

    Args:
        split: The images of all shards.
        extractor: What they pass through.
        shard_rows: Images a shard, whole batches; the last shard may have fewer.
        claim: Whether to extract the shard of a number; asked for each in turn, in a thread of
            tf.data.
        augmentation: How images are augmented; each as it is without it.
        dtype: Of the features, float32 or float16.
        resize: How images become squares.

    Raises:
        OSError: one of `claim`.
        UserError: a feature is too large for the dtype.
    """
    claims = _Claims(claim)
    batches = image_batches(
        split,
        extractor.image_size,
        EXTRACTION_BATCH,
        augmentation=augmentation,
        blocks=Blocks(shard_rows, claims.choose),
        resize=resize,
    )

    def extract_batch(number: int, batch: Any, present: int) -> tuple[int, Features]:
        return number, _batch_features(extractor, batch, present, dtype)

    yield from side_by_side(
        functools.partial(extract_batch, *numbered)
        for numbered in _with_shards(iter(batches), claims, shard_rows, split.examples)
    )
    if claims.error is not None:
        raise claims.error


def _with_shards(
    batches: Iterator[Any], claims: _Claims, shard_rows: int, examples: int
) -> Iterator[tuple[int, Any, int]]:
    """The number of its shard, a batch, and how many of the shard's images are in it or follow."""
    for batch in batches:
        number = claims.numbers.popleft()
        first, end = number * shard_rows, min((number + 1) * shard_rows, examples)
        of_shard = itertools.chain([batch], batches)
        for row in range(first, end, EXTRACTION_BATCH):
            yield number, next(of_shard), end - row


class _Claims:
    """The shards that were claimed and that have not come out of the pipeline yet."""

    def __init__(self, claim: Callable[[int], bool]) -> None:
        self.numbers = collections.deque[int]()
        self.error: OSError | None = None
        self._claim = claim

    def choose(self, number: int) -> bool:
        try:
            claimed = self.error is None and self._claim(number)
        except OSError as error:  # which would reach Python as an error of TensorFlow's
            self.error, claimed = error, False
        if claimed:
            self.numbers.append(number)
        return claimed


def _batch_features(extractor: Extractor, batch: Any, present: int, dtype: str) -> Features:
    """Features of the first images of a batch; those behind them fill it up."""
    images, labels = batch
    in_memory = from_columns(tf.nest.map_structure(lambda column: column.numpy(), labels))
    vectors = _as_dtype(extractor(images).numpy()[:present], dtype)
    return Features(vectors, in_memory[:present])


def _as_dtype(vectors: np.ndarray, dtype: str) -> np.ndarray:
    if dtype != vectors.dtype and np.abs(vectors).max() > np.finfo(dtype).max:
        raise UserError(
            f"--feature-dtype {dtype}: a feature of {np.abs(vectors).max():.3g} is too large for"
            " it; choose float32"
        )
    return vectors.astype(dtype, copy=False)


def concatenate(parts: Iterable[Features]) -> Features:
    """The features of several parts as one, in memory."""
    listed = list(parts)
    return Features(
        np.concatenate([part.vectors for part in listed]),
        np.concatenate([part.labels for part in listed]),
    )
