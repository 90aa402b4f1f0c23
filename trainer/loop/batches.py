"""The two kinds of batches that reach the loop, through one small interface.

A span of steps opens a pass over the data once, outside the graph, and takes its batches inside it:

```python
feed = batches.open(pass_number, first)
inputs, labels = batches.take(feed, step)  # in a tf.function, the steps from the first on
```

Rows that fill up a last batch have the label -1.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from trainer.data.pipeline.augment import Augmentation, EpochAugmentation
from trainer.data.pipeline.batches import (
    PADDING_LABEL,
    PREFETCH,
    image_batches,
    num_batches,
    without_autotune,
)
from trainer.data.pipeline.mixup import Mixing
from trainer.data.pipeline.order import epoch_order
from trainer.data.splits import Split
from trainer.features.features import Features, StoredFeatures

Batch = tuple[tf.Tensor, tf.Tensor]


class Batches(abc.ABC):
    """One split as batches of a fixed shape; a pass over it is `steps` of them."""

    examples: int
    batch_size: int
    batch_spec: tuple[tf.TensorSpec, tf.TensorSpec]
    """Shapes and dtypes of one batch: inputs [batch_size, …] and labels int32 [batch_size]."""

    xla_compatible: ClassVar[bool]
    """Whether `take` can be part of a program that XLA compiles: its feed is a tensor."""

    jit_on_cpu: ClassVar[bool]
    """Whether what learns from them is faster compiled on a CPU: heads are, convolutions not."""

    @property
    def steps(self) -> int:
        """Batches a pass, the padded last one included."""
        return num_batches(self.examples, self.batch_size)

    def examples_in(self, first: int, steps: int) -> int:
        """How many examples the `steps` batches from batch `first` of a pass hold."""
        rows = min((first + steps) * self.batch_size, self.examples)
        return rows - first * self.batch_size

    @property
    @abc.abstractmethod
    def labels(self) -> np.ndarray:
        """The class of each example in the stored order, int32 [examples]."""

    @abc.abstractmethod
    def open(self, pass_number: int | None, first: int = 0) -> Any:
        """What `take` draws one pass from, counted from 0; in the stored order where it is None.

        The order of a pass in training is a function of the seed and its number alone. Where
        training goes on in the midst of one, `first` is the first step that will be taken.
        """

    @abc.abstractmethod
    def take(self, feed: Any, step: tf.Tensor) -> Batch:
        """In the graph, the batch at a step of the pass, counted from 0; each in its turn."""


class FeatureBatches(Batches):
    """Rows of one tensor of features, which stays in memory."""

    xla_compatible = True
    jit_on_cpu = True

    def __init__(self, features: Features, batch_size: int, seed: int, copies: int = 1) -> None:
        """Put the features where the graph reads them: vectors [copies * examples, *shape].

        Of copies, one behind the other, each pass takes the next, and the first again in the end.
        """
        self._vectors = tf.constant(features.vectors)
        self._labels = tf.constant(features.labels)
        self._seed, self._copies = seed, copies
        rows, *shape = features.vectors.shape
        self.examples = rows // copies
        self.batch_size = batch_size
        self.batch_spec = _feature_spec(batch_size, shape)

    @property
    def labels(self) -> np.ndarray:
        """Those of the features, of the first copy."""
        return self._labels.numpy()[: self.examples]

    def open(self, pass_number: int | None, first: int = 0) -> tf.Tensor:
        """The pass's whole order as rows, int32 [steps, batch_size], -1 where padded."""
        return _rows_by_step(self, self._seed, pass_number, self._copies)

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

    xla_compatible = False
    jit_on_cpu = True

    def __init__(
        self, features: StoredFeatures, batch_size: int, seed: int, copies: int = 1
    ) -> None:
        """Leave the features where they are."""
        self._features, self._seed, self._copies = features, seed, copies
        self.examples = features.examples // copies
        self.batch_size = batch_size
        self.batch_spec = _feature_spec(batch_size, features.shape)

    @property
    def labels(self) -> np.ndarray:
        """Those of the features, of the first copy."""
        return np.concatenate([part.labels for part in self._features.shards])[: self.examples]

    def open(self, pass_number: int | None, first: int = 0) -> tf.data.Iterator:
        """The pass's reading, at the batch of its first step."""
        rows = _rows_by_step(self, self._seed, pass_number, self._copies)[first:]
        rows = tf.data.Dataset.from_tensor_slices(rows)
        batches = rows.map(self._read, num_parallel_calls=2, deterministic=True)
        return iter(without_autotune(batches.prefetch(PREFETCH)))

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

    xla_compatible = False
    jit_on_cpu = False

    def __init__(
        self,
        split: Split,
        image_size: int,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None = None,
        mixing: Mixing | None = None,
        channels: int = 3,
    ) -> None:
        """Images [batch_size, image_size, image_size, channels] of a split.

        Args:
            split: The examples.
            image_size: Side of the images in pixels.
            batch_size: Examples a batch.
            seed: Order, augmentation and mixing follow from it and the pass.
            augmentation: How passes in training vary each image, if they do.
            mixing: How they mix images; labels are then shares of classes in every batch.
            channels: 3 for RGB, 1 for grey.
        """
        self._split, self._image_size, self._seed = split, image_size, seed
        self._augmentation, self._mixing = augmentation, mixing
        self._channels = channels
        self.examples = split.examples
        self.batch_size = batch_size
        self.batch_spec = (
            tf.TensorSpec([batch_size, image_size, image_size, channels], tf.float32),
            _class_spec(batch_size) if mixing is None else mixing.share_spec(batch_size),
        )

    @property
    def labels(self) -> np.ndarray:
        """Those of the split, without a look at its images."""
        return self._split.labels()

    def open(self, pass_number: int | None, first: int = 0) -> tf.data.Iterator:
        """The pass's pipeline, at the batch of its first step; no image before it is decoded."""
        if pass_number is None:
            return iter(self._in_stored_order(first))
        return iter(self._training_pass(pass_number, first))

    def _in_stored_order(self, first: int) -> tf.data.Dataset:
        batches = self._images(first)
        return batches if self._mixing is None else self._mixing.unmixed(batches)

    def _training_pass(self, pass_number: int, first: int) -> tf.data.Dataset:
        drawn_by, augmentation = (self._seed, pass_number), self._augmentation
        variation = None if augmentation is None else EpochAugmentation(augmentation, *drawn_by)
        batches = self._images(first, drawn_by, variation)
        return batches if self._mixing is None else self._mixing.mixed(batches, *drawn_by, first)

    def _images(
        self,
        first: int,
        drawn_by: tuple[int, int] | None = None,
        variation: EpochAugmentation | None = None,
    ) -> tf.data.Dataset:
        return image_batches(
            self._split,
            self._image_size,
            self.batch_size,
            drawn_by,
            variation,
            self._channels,
            first,
        )

    def take(self, feed: tf.data.Iterator, step: tf.Tensor) -> Batch:
        """The next batch: the pipeline itself keeps count of the steps."""
        images, labels = next(feed)
        return images, labels


def _feature_spec(batch_size: int, shape: Sequence[int]) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    vectors = tf.TensorSpec([batch_size, *shape], tf.float32)
    return vectors, _class_spec(batch_size)


def _class_spec(batch_size: int) -> tf.TensorSpec:
    return tf.TensorSpec([batch_size], tf.int32)


def _rows_by_step(batches: Batches, seed: int, pass_number: int | None, copies: int) -> tf.Tensor:
    """The rows of each step of a pass, int32 [steps, batch_size], -1 where padded."""
    rows = tf.range(batches.examples)
    if pass_number is not None:
        first_of_copy = pass_number % copies * batches.examples
        rows = first_of_copy + epoch_order(batches.examples, seed, pass_number)
    padding = batches.steps * batches.batch_size - batches.examples
    rows = tf.pad(rows, [[0, padding]], constant_values=-1)
    return tf.reshape(rows, [batches.steps, batches.batch_size])
