"""The batches that reach the loop, through one small interface.

An iterator over the data is made once, outside the graph; the graph gets its batches from it:

```python
iterator = batches.make_iterator(epoch=0)
(inputs, labels, sample_weight), indices = batches.get_next(iterator, step)  # in a tf.function
```

Every batch has the same shape. The rows that fill up a last batch are other examples of the same
order, with a `sample_weight` of 0: they count in no loss and no metric.
"""

from __future__ import annotations

import abc
import functools
import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from trainer.config.transfer import Resize
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import Augmentation
from trainer.data.pipeline.batches import (
    PREFETCH,
    image_batches,
    num_batches,
    without_autotune,
)
from trainer.data.pipeline.mixup import Mixing
from trainer.data.pipeline.order import balanced_counts
from trainer.data.splits import Split
from trainer.distribution.rows import Rows, all_rows

Batch = tuple[Any, Any, tf.Tensor]
"""Inputs and labels, each any structure of tensors [batch_size, …], and sample_weight [batch_size].

The triple of Keras' own `train_step`.
"""


class Batches(abc.ABC):
    """One split as batches of a fixed shape; a pass over it, a data epoch, is `steps` of them."""

    examples: int
    batch_size: int
    batch_spec: tuple[Any, Any, tf.TensorSpec]
    """Shapes and dtypes of a batch: inputs, labels, and sample_weight float32 [batch_size]."""

    xla_compatible: ClassVar[bool]
    """Whether `get_next` can be part of a program that XLA compiles: its iterator is a tensor."""

    jit_on_cpu: bool
    """Whether training on them is faster compiled on a CPU: heads are, convolutions are not."""

    weights: np.ndarray | None = None
    """The weight of each example in the stored order, float32 [examples]; 1 where None."""

    shuffle_buffer_size: int | None = None
    """How many examples are shuffled at once; all when None."""

    balanced: bool = False
    """Whether an epoch of training takes all classes equally often, in place of every example
    once."""

    @property
    def rows(self) -> Rows:
        """Which rows of a batch `get_next` gives in this process."""
        return all_rows(self.batch_size)

    @property
    def steps(self) -> int:
        """Batches a data epoch, the last one that is filled up included."""
        return num_batches(self.examples, self.batch_size)

    def epoch_counts(self, seed: int, epoch: int) -> np.ndarray | None:
        """How often an epoch of training takes each example; None where each comes once."""
        return balanced_counts(self.labels, seed, epoch) if self.balanced else None

    def examples_in(self, first: int, steps: int) -> int:
        """How many examples the `steps` batches from batch `first` of a data epoch hold."""
        rows = min((first + steps) * self.batch_size, self.examples)
        return rows - first * self.batch_size

    def is_example(self, step: tf.Tensor) -> tf.Tensor:
        """In the graph, float32 [rows]: 1, and 0 for rows that fill up the last batch."""
        rows = step * self.batch_size + tf.range(self.rows.first, self.rows.last)
        return tf.cast(rows < self.examples, tf.float32)

    def sample_weight(self, step: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """In the graph, the weight of each row at a step of a data epoch, float32 [batch_size]."""
        is_example = self.is_example(step)
        if self.weights is None:
            return is_example
        return is_example * tf.gather(tf.constant(self.weights), indices)

    @property
    @abc.abstractmethod
    def labels(self) -> np.ndarray:
        """The label of each example in the stored order: classes int32 [examples], say."""

    @abc.abstractmethod
    def make_iterator(self, epoch: int | None, first: int = 0) -> Any:
        """What `get_next` gets the batches of a data epoch from.

        The order in training is a function of the seed and the epoch alone.

        Args:
            epoch: The number of the data epoch, from 0; None for the stored order.
            first: The first step that will be taken, where training resumes within an epoch.
        """

    def make_iterators(self, epoch: int, first: int = 0) -> Iterator[Any]:
        """What `get_next` gets the batches of a data epoch from, and of each that follows.

        Each epoch has to be taken to its end before the next one.

        Args:
            epoch: The number of the first of them.
            first: The first step of it that will be taken.
        """
        yield self.make_iterator(epoch, first)
        for number in itertools.count(epoch + 1):
            yield self.make_iterator(number)

    @abc.abstractmethod
    def get_next(self, iterator: Any, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """In the graph, the batch at a step of the data epoch, counted from 0; one by one.

        And the indices of its rows in the stored order, int32 [batch_size].
        """


class ImageBatches(Batches):
    """Images decoded during training, by a tf.data pipeline."""

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
        rows: Rows | None = None,
        resize: Resize = "squash",
        view: EpochAugmentation | None = None,
    ) -> None:
        """Images [batch_size, image_size, image_size, channels] of a split.

        Args:
            split: The examples.
            image_size: Side of the images in pixels.
            batch_size: Examples a batch.
            seed: Order, augmentation and mixing follow from it and the epoch.
            augmentation: How images are augmented in training, if they are.
            mixing: How images are mixed in training; labels are then soft in every batch.
            channels: 3 for RGB, 1 for grey.
            rows: Those that this process takes, all when None; of images that are mixed all.
            resize: How images become squares.
            view: How images are augmented in the stored order, if they are.
        """
        self._split, self._image_size, self._seed = split, image_size, seed
        self._labels = functools.cache(split.labels)
        self._stored_order = functools.cache(self._in_stored_order)
        self._augmentation, self._mixing = augmentation, mixing
        self._channels, self._resize, self._view = channels, resize, view
        self.examples, self.weights, self.batch_size = split.examples, split.weights, batch_size
        self.shuffle_buffer_size = split.shuffle_buffer_size
        self._rows = rows if rows is not None and mixing is None else all_rows(batch_size)
        taken = self._rows.count
        self.batch_spec = (
            tf.TensorSpec([taken, image_size, image_size, channels], tf.float32),
            in_batches(split.label_spec, taken) if mixing is None else mixing.label_spec(taken),
            weight_spec(taken),
        )

    @property
    def rows(self) -> Rows:
        """Those that are decoded in this process."""
        return self._rows

    @property
    def labels(self) -> np.ndarray:
        """Those of the split, without a look at its images."""
        return self._labels()

    def make_iterator(self, epoch: int | None, first: int = 0) -> tf.data.Iterator:
        """The epoch's pipeline, at the batch of its first step; no image before it is decoded."""
        if epoch is None:
            return iter(self._stored_order(first))
        return iter(self._training_epoch(epoch, first))

    def make_iterators(self, epoch: int, first: int = 0) -> Iterator[tf.data.Iterator]:
        """One pipeline through all epochs: to make one takes half a second."""

        def batches_of(number: tf.Tensor) -> tf.data.Dataset:
            start = tf.where(number == epoch, tf.constant(first, tf.int64), 0)
            return self._training_epoch(tf.cast(number, tf.int32), start)

        epochs = tf.data.Dataset.range(epoch, tf.int32.max).flat_map(batches_of)
        yield from itertools.repeat(iter(without_autotune(epochs.prefetch(PREFETCH))))

    def get_next(self, iterator: tf.data.Iterator, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """The next batch: the pipeline itself counts the steps."""
        images, labels, indices = next(iterator)
        return (images, labels, self.sample_weight(step, indices)), indices

    def _in_stored_order(self, first: int) -> tf.data.Dataset:
        batches = self._images(first, augmentation=self._view)
        return batches if self._mixing is None else self._mixing.one_hot(batches)

    def _training_epoch(self, epoch: int | tf.Tensor, first: int | tf.Tensor) -> tf.data.Dataset:
        seeds, augmentation = (self._seed, epoch), self._augmentation
        augment = None if augmentation is None else EpochAugmentation(augmentation, *seeds)
        batches = self._images(first, seeds, augment, self._counts(epoch))
        mixing = self._mixing
        return batches if mixing is None else mixing.apply(batches, self.examples, *seeds, first)

    def _counts(self, epoch: int | tf.Tensor) -> tf.Tensor | None:
        if not self.balanced:
            return None
        counts = tf.numpy_function(
            lambda number: self.epoch_counts(self._seed, int(number)), [epoch], tf.int64
        )
        return tf.ensure_shape(counts, [self.examples])

    def _images(
        self,
        first: int | tf.Tensor,
        shuffled_by: tuple[int, int | tf.Tensor] | None = None,
        augmentation: EpochAugmentation | None = None,
        counts: tf.Tensor | None = None,
    ) -> tf.data.Dataset:
        has_all = self._rows == all_rows(self.batch_size)
        batches = image_batches(
            *(self._split.with_indices(), self._image_size, self.batch_size),
            shuffled_by=shuffled_by,
            augmentation=augmentation,
            channels=self._channels,
            first=first,
            rows=None if has_all else (self._rows.first, self._rows.last),
            resize=self._resize,
            counts=counts,
        )
        return batches.map(
            lambda images, labelled: (images, labelled[0], tf.cast(labelled[1], tf.int32))
        )


def in_batches(spec: Any, batch_size: int) -> Any:
    """Of a batch, from that of one example; both of the same structure."""
    return tf.nest.map_structure(
        lambda one: tf.TensorSpec([batch_size, *one.shape], one.dtype), spec
    )


def weight_spec(batch_size: int) -> tf.TensorSpec:
    """Of the weight of each row."""
    return tf.TensorSpec([batch_size], tf.float32)
