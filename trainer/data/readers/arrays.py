"""A task's own arrays as a source: what its `data()` returns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.splits import Source, Split
from trainer.task import Task

Arrays = tuple[Any, Any]
"""Inputs and labels, each an array [examples, …] or any structure of such arrays."""


def arrays_source(task: Task, splits: Mapping[str, Any]) -> Source:
    """The examples in a task's arrays.

    Args:
        task: What is learned.
        splits: By split, a pair of inputs and labels, as NumPy takes them.

    Raises:
        UserError: a split is missing, or its arrays are not of one length.
    """
    if set(splits) != set(SPLITS):
        raise UserError(
            f"{type(task).__name__}.data() has the splits {', '.join(splits)}; it must have"
            f" {', '.join(SPLITS)}"
        )
    arrays = {name: _as_arrays(task, name, splits[name]) for name in SPLITS}
    train_labels = arrays["train"][1]
    is_array = isinstance(train_labels, np.ndarray)
    is_class = is_array and np.issubdtype(train_labels.dtype, np.integer) and train_labels.ndim == 1
    classes = task.classes or _names(arrays, is_class)
    if is_class:
        _check_classes(task, arrays, len(classes))
    return Source(
        kind="arrays",
        name=task.name,
        version=None,
        classes=classes,
        splits={name: _split(name, found) for name, found in arrays.items()},
        label_kind="class" if is_class else "numbers",
        arrays=arrays,
    )


def _check_classes(task: Task, arrays: Mapping[str, Arrays], classes: int) -> None:
    for name, (_, labels) in arrays.items():
        outside = labels[(labels < 0) | (labels >= classes)]
        if outside.size:
            raise UserError(
                f"{type(task).__name__}.data()[{name!r}] has the class {outside[0]}; there are"
                f" {classes}, from 0 on"
            )


def _as_arrays(task: Task, split: str, pair: Any) -> Arrays:
    where = f"{type(task).__name__}.data()[{split!r}]"
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise UserError(f"{where} must be a pair (inputs, labels); labels may be ()")
    inputs, labels = tf.nest.map_structure(_as_array, pair)
    if isinstance(labels, np.ndarray) and labels.ndim == 1 and labels.dtype == np.float32:
        labels = labels[:, None]  # one number an example
    arrays = inputs, labels
    shapes = [array.shape for array in tf.nest.flatten(arrays)]
    if len({shape[:1] for shape in shapes}) != 1 or not shapes[0]:
        raise UserError(
            f"{where} has arrays of the shapes {', '.join(map(str, shapes))}; the first dimension"
            " of each must be the number of examples"
        )
    return arrays


def _as_array(values: Any) -> np.ndarray:
    """As TensorFlow computes with it: float32, and integers in 32 bits."""
    array = np.asarray(values)
    if array.dtype == np.float64:
        return array.astype(np.float32)
    limits = np.iinfo(np.int32)
    fits = array.dtype == np.int64 and limits.min <= array.min(initial=0) <= limits.max
    return array.astype(np.int32) if fits and array.max(initial=0) <= limits.max else array


def _names(arrays: Mapping[str, Arrays], is_class: bool) -> tuple[str, ...]:
    """Classes by their numbers; of other labels the numbers of their columns."""
    labels = [labels for _, labels in arrays.values()]
    if is_class:
        return tuple(map(str, range(1 + max(int(array.max(initial=0)) for array in labels))))
    if isinstance(labels[0], np.ndarray):
        return tuple(map(str, range(labels[0].shape[-1] if labels[0].ndim > 1 else 1)))
    return ()


def _split(name: str, arrays: Arrays) -> Split:
    _, labels = arrays
    examples = len(tf.nest.flatten(arrays)[0])
    return Split(
        name=name,
        examples=examples,
        fingerprint=_fingerprint(arrays),
        references=lambda: tf.data.Dataset.from_tensor_slices((np.arange(examples), labels)),
        read=tf.identity,
        shuffle_buffer_size=examples,
        describe="example {}".format,
    )


def _fingerprint(arrays: Arrays) -> str:
    """Of the values, their types and their structure."""
    digest = hashlib.sha256()
    digest.update(repr(tf.nest.map_structure(lambda a: (a.dtype.str, a.shape), arrays)).encode())
    for array in tf.nest.flatten(arrays):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
