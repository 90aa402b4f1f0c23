"""Batches of features and of a user's own data: arrays, in memory or on the disk, or a pipeline."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data.labels import by_output, columns, from_columns, label_spec
from trainer.data.own_data import DataPipeline
from trainer.data.pipeline.batches import PREFETCH, without_autotune
from trainer.data.pipeline.order import blockwise_order, repeated
from trainer.features.features import Features, StoredFeatures
from trainer.loop.batches import Batch, Batches, in_batches, weight_spec


class ArrayBatches(Batches):
    """Rows of arrays, which stay in memory."""

    xla_compatible = True

    def __init__(
        self,
        inputs: Any,
        labels: Any,
        batch_size: int,
        seed: int,
        copies: int = 1,
        weights: np.ndarray | None = None,
    ) -> None:
        """Put the arrays where the graph reads them.

        Args:
            inputs: An array [copies * examples, …], or any structure of such arrays.
            labels: Likewise.
            batch_size: Examples a batch.
            seed: The order in training follows from it and the epoch.
            copies: Of copies, one behind the other, each epoch takes the next, and the first again
                in the end.
            weights: Of each example, float32 [examples]; 1 where None.
        """
        self._arrays = tf.nest.map_structure(tf.constant, (inputs, labels))
        self._seed, self._copies = seed, copies
        self.examples = len(tf.nest.flatten(self._arrays)[0]) // copies
        self.batch_size, self.weights = batch_size, weights
        specs = tf.nest.map_structure(
            lambda array: in_batches(tf.TensorSpec(array.shape[1:], array.dtype), batch_size),
            self._arrays,
        )
        self.batch_spec = (*specs, weight_spec(batch_size))
        # Of more dimensions are images and sequences, and what convolves them.
        self.jit_on_cpu = all(len(array.shape) <= 2 for array in tf.nest.flatten(inputs))

    @property
    def labels(self) -> np.ndarray:
        """Those of the first copy."""
        labels = tf.nest.map_structure(lambda array: array.numpy(), self._arrays[1])
        return from_columns(labels)[: self.examples]

    def rebatched(self, batch_size: int, seed: int) -> ArrayBatches:
        """The same examples, whose arrays are not copied, in other batches and another order."""
        other = copy.copy(self)
        other.batch_size, other._seed = batch_size, seed
        other.batch_spec = tf.nest.map_structure(
            lambda spec: tf.TensorSpec([batch_size, *spec.shape[1:]], spec.dtype), self.batch_spec
        )
        return other

    def make_iterator(self, epoch: int | None, first: int = 0) -> tf.Tensor:  # noqa: ARG002
        """The rows of every step of the epoch, int32 [steps, batch_size]."""
        return _rows_by_step(self, self._seed, epoch, self._copies)

    def get_next(self, iterator: tf.Tensor, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """The rows of a step."""
        rows = tf.gather(iterator, step)  # XLA would compile a slice again for every first step
        inputs, labels = tf.nest.map_structure(lambda array: tf.gather(array, rows), self._arrays)
        indices = rows if self._copies == 1 else rows % self.examples
        return (inputs, labels, self.sample_weight(step, indices)), indices


class FeatureBatches(ArrayBatches):
    """Rows of features."""

    def __init__(
        self,
        features: Features,
        batch_size: int,
        seed: int,
        copies: int = 1,
        weights: np.ndarray | None = None,
        jit_on_cpu: bool = True,
    ) -> None:
        """Of copies, one behind the other, each epoch takes the next."""
        labels = columns(features.labels)
        super().__init__(features.vectors, labels, batch_size, seed, copies, weights)
        inputs, *others = self.batch_spec
        self.batch_spec = (tf.TensorSpec(inputs.shape, tf.float32), *others)
        self.jit_on_cpu = jit_on_cpu

    def get_next(self, iterator: tf.Tensor, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """The rows of a step, float32 also of features that are stored as float16."""
        (inputs, *others), indices = super().get_next(iterator, step)
        return (tf.cast(inputs, tf.float32), *others), indices


class StreamedFeatureBatches(Batches):
    """Rows of features that are too large for the memory, read from the disk during training.

    The same batches as `FeatureBatches` of the same features.
    """

    xla_compatible = False

    def __init__(
        self,
        features: StoredFeatures,
        batch_size: int,
        seed: int,
        copies: int = 1,
        weights: np.ndarray | None = None,
        jit_on_cpu: bool = True,
    ) -> None:
        """Leave the features on the disk."""
        self.jit_on_cpu = jit_on_cpu
        self._features, self._seed, self._copies = features, seed, copies
        self.examples = features.examples // copies
        self.batch_size, self.weights = batch_size, weights
        self.batch_spec = (
            tf.TensorSpec([batch_size, *features.shape], tf.float32),
            in_batches(label_spec(features.shards[0].labels), batch_size),
            weight_spec(batch_size),
        )

    @property
    def labels(self) -> np.ndarray:
        """Those of the first copy."""
        return self._features.labels[: self.examples]

    def make_iterator(self, epoch: int | None, first: int = 0) -> tf.data.Iterator:
        """A pipeline that reads the rows of each step, from the first on."""
        rows = _rows_by_step(self, self._seed, epoch, self._copies)[first:]
        rows = tf.data.Dataset.from_tensor_slices(rows)
        batches = rows.map(self._read, num_parallel_calls=2, deterministic=True)
        return iter(without_autotune(batches.prefetch(PREFETCH)))

    def get_next(self, iterator: tf.data.Iterator, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """The next batch: the pipeline itself counts the steps."""
        vectors, labels, indices = next(iterator)
        return (vectors, labels, self.sample_weight(step, indices)), indices

    def _read(self, rows: tf.Tensor) -> tuple[tf.Tensor, Any, tf.Tensor]:
        specs = tf.nest.flatten(self.batch_spec[:2])
        read = tf.numpy_function(self._from_disk, [rows], [spec.dtype for spec in specs])
        shaped = [
            tf.ensure_shape(*pair) for pair in zip(read, (s.shape for s in specs), strict=True)
        ]
        vectors, labels = tf.nest.pack_sequence_as(self.batch_spec[:2], shaped)
        return vectors, labels, rows % self.examples

    def _from_disk(self, rows: np.ndarray) -> list[np.ndarray]:
        found = self._features.rows(rows)
        return tf.nest.flatten((found.vectors, columns(found.labels)))


class PipelineBatches(Batches):
    """The examples of a pipeline of the user's own, batched."""

    xla_compatible = False

    def __init__(self, pipeline: DataPipeline, batch_size: int, seed: int) -> None:
        """Of the pipeline's fixed shapes."""
        self._pipeline, self._seed = pipeline, seed
        self.examples, self.batch_size = pipeline.examples, batch_size
        inputs, labels, weight = in_batches(self._examples(None).element_spec, batch_size)
        self.batch_spec = (inputs, labels, weight)
        # Of more dimensions are images and sequences, and what convolves them.
        self.jit_on_cpu = all(len(spec.shape) <= 2 for spec in tf.nest.flatten(inputs))

    @property
    def labels(self) -> np.ndarray:
        """Not known.

        Raises:
            UserError: always; naming the option that asks for them.
        """
        raise UserError(
            "--class-weights: the labels of a pipeline are not known before; omit it, or let the"
            " pipeline give a sample_weight"
        )

    def make_iterator(self, epoch: int | None, first: int = 0) -> tf.data.Iterator:
        """The epoch's examples from the first step on; those before are made and dropped."""
        counted = tf.data.experimental.assert_cardinality(self.examples)
        examples = self._examples(epoch).apply(counted).repeat()
        batches = examples.batch(self.batch_size, drop_remainder=True).take(self.steps)
        return iter(batches.skip(first).prefetch(PREFETCH))

    def get_next(self, iterator: tf.data.Iterator, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """The next batch; its indices are those in the epoch's own order."""
        inputs, labels, sample_weight = next(iterator)
        indices = (step * self.batch_size + tf.range(self.batch_size)) % self.examples
        return (inputs, labels, sample_weight * self.is_example(step)), indices

    def _examples(self, epoch: int | None) -> tf.data.Dataset:
        return self._pipeline.make_dataset(epoch, self._seed).map(_as_triple)


def _rows_by_step(batches: Batches, seed: int, epoch: int | None, copies: int) -> tf.Tensor:
    """The rows of each step of a data epoch, int32 [steps, batch_size].

    The last step is filled up with the first rows of the same order.
    """
    rows = np.arange(batches.examples, dtype=np.int32)
    if epoch is not None:
        rows, times = epoch_rows(batches, seed, epoch)
        rows += (epoch + times) % copies * batches.examples
    return tf.constant(np.resize(rows, [batches.steps, batches.batch_size]))


def epoch_rows(batches: Batches, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """The examples of a data epoch in their order, int32 [examples].

    And how often each has come before in the stored order of the epoch, int32 [examples].
    """
    order = blockwise_order(batches.examples, batches.shuffle_buffer_size, seed, epoch)
    counts = batches.epoch_counts(seed, epoch)
    if counts is None:
        return order, np.zeros_like(order)
    rows, times = repeated(tf.constant(counts))
    return rows.numpy()[order], times.numpy()[order]


def _as_triple(inputs: Any, labels: Any, sample_weight: Any = 1.0) -> tuple[Any, Any, tf.Tensor]:
    """An example as TensorFlow computes with it: float32, and one number in a vector."""
    inputs, labels = tf.nest.map_structure(_in_32_bits, (inputs, labels))
    return inputs, by_output(labels, _as_vector), tf.cast(sample_weight, tf.float32)


def _as_vector(label: Any) -> Any:
    is_number = isinstance(label, tf.Tensor) and label.dtype.is_floating and label.shape.rank == 0
    return label[None] if is_number else label


def _in_32_bits(value: tf.Tensor) -> tf.Tensor:
    return tf.cast(value, tf.float32) if value.dtype == tf.float64 else value
