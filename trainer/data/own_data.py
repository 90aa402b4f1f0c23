"""A task's own data, in place of images: arrays, or a tf.data pipeline for each epoch."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.hashing import fingerprint

MakeDataset = Callable[[int | None, int], tf.data.Dataset]
"""The number of an epoch, None for the stored order, and the seed to a dataset of examples."""


@dataclasses.dataclass(frozen=True)
class Arrays:
    """The examples of a split in memory."""

    inputs: Any
    """An array [examples, …], or any structure of such arrays."""

    labels: Any
    """Likewise."""

    weights: np.ndarray | None = None
    """Of each example, float32 [examples]; 1 where None."""

    @property
    def examples(self) -> int:
        """How many there are."""
        return len(tf.nest.flatten(self.inputs)[0])

    @property
    def fingerprint(self) -> str:
        """Differs with the values, their types and their structure."""
        arrays = (self.inputs, self.labels, () if self.weights is None else self.weights)
        digest = hashlib.sha256()
        digest.update(repr(tf.nest.map_structure(_type_and_shape, arrays)).encode())
        for array in tf.nest.flatten(arrays):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def first(self, examples: int) -> Arrays:
        """The first so many examples."""
        inputs, labels = tf.nest.map_structure(
            lambda array: array[:examples], (self.inputs, self.labels)
        )
        weights = None if self.weights is None else self.weights[:examples]
        return Arrays(inputs, labels, weights)


@dataclasses.dataclass(frozen=True)
class DataPipeline:
    """The examples of a split as a tf.data pipeline, one for each epoch.

    ```python
    def sentences(epoch, seed):
        lines = tf.data.TextLineDataset("train.txt")
        return lines if epoch is None else lines.shuffle(10_000, seed=seed + epoch)

    DataPipeline(sentences, examples=25_000)
    ```
    """

    make_dataset: MakeDataset
    """Of an epoch's number and the seed the examples in their order: pairs (inputs, labels), or
    triples with a sample_weight, of fixed shapes. It must return the same examples whenever it is
    called with the same two: a run that is resumed calls it again. The epoch is None where the
    split is evaluated."""

    examples: int
    """How many an epoch has."""

    @property
    def element_spec(self) -> Any:
        """The specs of one example."""
        return self.make_dataset(None, 0).element_spec

    @property
    def fingerprint(self) -> str:
        """Differs with the number of examples and their specs; the values are not known."""
        return fingerprint([self.examples, repr(self.element_spec)])

    def first(self, examples: int) -> DataPipeline:
        """The first so many examples of every epoch."""
        return DataPipeline(lambda *order: self.make_dataset(*order).take(examples), examples)


def _type_and_shape(array: np.ndarray) -> tuple[str, tuple[int, ...]]:
    return array.dtype.str, array.shape
