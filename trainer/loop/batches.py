"""The two kinds of batches that reach the loop, through one small interface.

A span of steps opens an epoch once, outside the graph, and takes its batches inside it:

```python
feed = batches.open(epoch)
inputs, labels = batches.take(feed, step)  # in a tf.function
```

Rows that fill up a last batch have the label -1.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from trainer.data.images import (
    PADDING_LABEL,
    READY_BATCHES,
    batches_in,
    image_batches,
    untuned,
)
from trainer.data.order import epoch_order
from trainer.data.splits import Split
from trainer.features import Features, StoredFeatures

Batch = tuple[tf.Tensor, tf.Tensor]


class Batches(abc.ABC):
    """One split as batches of a fixed shape; an epoch is `steps` of them."""

    examples: int
    batch_size: int
    batch_spec: tuple[tf.TensorSpec, tf.TensorSpec]
    """Shapes and dtypes of one batch: inputs [batch_size, …] and labels int32 [batch_size]."""

    xla_takes_them: ClassVar[bool]
    """Whether `take` can be part of a program that XLA compiles: its feed is a tensor."""

    compiles_on_a_cpu: ClassVar[bool]
    """Whether what learns from them is faster compiled on a CPU: heads are, convolutions not."""

    @property
    def steps(self) -> int:
        """Batches an epoch, the padded last one included."""
        return batches_in(self.examples, self.batch_size)

    def examples_in(self, first: int, steps: int) -> int:
        """How many examples the `steps` batches from batch `first` of an epoch hold."""
        rows = min((first + steps) * self.batch_size, self.examples)
        return rows - first * self.batch_size

    @abc.abstractmethod
    def open(self, epoch: int | None) -> Any:
        """What `take` draws one epoch from; in the stored order where epoch is None.

        The order of a training epoch is a function of the seed and the epoch alone.
        """

    @abc.abstractmethod
    def take(self, feed: Any, step: tf.Tensor) -> Batch:
        """In the graph, the batch at a step of the epoch, counted from 0; each in its turn."""


class FeatureBatches(Batches):
    """Rows of one tensor of features, which stays in memory."""

    xla_takes_them = True
    compiles_on_a_cpu = True

    def __init__(self, features: Features, batch_size: int, seed: int) -> None:
        """Put the features where the graph reads them: vectors [examples, width]."""
        self._vectors = tf.constant(features.vectors)
        self._labels = tf.constant(features.labels)
        self._seed = seed
        self.examples, width = features.vectors.shape
        self.batch_size = batch_size
        self.batch_spec = _feature_spec(batch_size, width)

    def open(self, epoch: int | None) -> tf.Tensor:
        """The epoch's order as rows, int32 [steps, batch_size], -1 where padded."""
        return _rows_by_step(self, self._seed, epoch)

    def take(self, feed: tf.Tensor, step: tf.Tensor) -> Batch:
        """The rows whose turn it is."""
        rows = tf.gather(feed, step)  # XLA would compile a slice again for every first step
        present = tf.maximum(rows, 0)
        labels = tf.where(rows < 0, PADDING_LABEL, tf.gather(self._labels, present))
        return tf.gather(self._vectors, present), labels


class StreamedFeatureBatches(Batches):
    """Rows of features that are too large for the memory, read from the disk as they are needed.

    The same batches as `FeatureBatches` of the same features.
    """

    xla_takes_them = False
    compiles_on_a_cpu = True

    def __init__(self, features: StoredFeatures, batch_size: int, seed: int) -> None:
        """Leave the features where they are."""
        self._features, self._seed = features, seed
        self.examples = features.examples
        self.batch_size = batch_size
        self.batch_spec = _feature_spec(batch_size, features.width)

    def open(self, epoch: int | None) -> tf.data.Iterator:
        """The epoch's reading, at its first batch."""
        rows = tf.data.Dataset.from_tensor_slices(_rows_by_step(self, self._seed, epoch))
        batches = rows.map(self._read, num_parallel_calls=2, deterministic=True)
        return iter(untuned(batches.prefetch(READY_BATCHES)))

    def take(self, feed: tf.data.Iterator, step: tf.Tensor) -> Batch:
        """The next batch: the reading itself keeps count of the steps."""
        vectors, labels = next(feed)
        return vectors, labels

    def _read(self, rows: tf.Tensor) -> Batch:
        present = tf.maximum(rows, 0)
        read = tf.numpy_function(self._from_disk, [present], [tf.float32, tf.int32])
        specs = zip(read, self.batch_spec, strict=True)
        vectors, labels = (tf.ensure_shape(tensor, spec.shape) for tensor, spec in specs)
        return vectors, tf.where(rows < 0, PADDING_LABEL, labels)

    def _from_disk(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self._features.rows(rows)
        return found.vectors, found.labels


class ImageBatches(Batches):
    """Images decoded as they are needed, by a tf.data pipeline."""

    xla_takes_them = False
    compiles_on_a_cpu = False

    def __init__(self, split: Split, image_size: int, batch_size: int, seed: int) -> None:
        """Images [batch_size, image_size, image_size, 3] of a split."""
        self._split, self._image_size, self._seed = split, image_size, seed
        self.examples = split.examples
        self.batch_size = batch_size
        self.batch_spec = (
            tf.TensorSpec([batch_size, image_size, image_size, 3], tf.float32),
            tf.TensorSpec([batch_size], tf.int32),
        )

    def open(self, epoch: int | None) -> tf.data.Iterator:
        """The epoch's pipeline, at its first batch."""
        shuffled_by = None if epoch is None else (self._seed, epoch)
        return iter(image_batches(self._split, self._image_size, self.batch_size, shuffled_by))

    def take(self, feed: tf.data.Iterator, step: tf.Tensor) -> Batch:
        """The next batch: the pipeline itself keeps count of the steps."""
        images, labels = next(feed)
        return images, labels


def _feature_spec(batch_size: int, width: int) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return tf.TensorSpec([batch_size, width], tf.float32), tf.TensorSpec([batch_size], tf.int32)


def _rows_by_step(batches: Batches, seed: int, epoch: int | None) -> tf.Tensor:
    """The rows of each step of an epoch, int32 [steps, batch_size], -1 where padded."""
    rows = tf.range(batches.examples)
    if epoch is not None:
        rows = epoch_order(batches.examples, seed, epoch)
    padding = batches.steps * batches.batch_size - batches.examples
    rows = tf.pad(rows, [[0, padding]], constant_values=-1)
    return tf.reshape(rows, [batches.steps, batches.batch_size])
