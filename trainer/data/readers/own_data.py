"""A task's own data as a source: the arrays or the pipelines that its `data()` returns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.labels import Names, by_output
from trainer.data.own_data import Arrays, DataPipeline
from trainer.data.splits import Source, Split
from trainer.task import LabelKind, LabelKinds, Task

logger = logging.getLogger(__name__)


def own_data_source(task: Task, splits: Mapping[str, Any]) -> Source:
    """The examples that a task has itself.

    Args:
        task: What is learned.
        splits: By split, arrays (inputs, labels) or (inputs, labels, sample_weight), as NumPy takes
            them; or a DataPipeline.

    Raises:
        UserError: a split is missing, its arrays are not of one length, or its pipeline has no
            fixed shapes.
    """
    if set(splits) != set(SPLITS):
        raise UserError(
            f"{type(task).__name__}.data() has the splits {', '.join(splits)}; it must have"
            f" {', '.join(SPLITS)}"
        )
    data = {name: _own_data(task, name, splits[name]) for name in SPLITS}
    kinds = _kinds(data["train"])
    classes = task.classes or _names(task, data, kinds)
    if kinds == "class":
        _check_classes(task, data, len(classes))
    return Source(
        kind="arrays" if isinstance(data["train"], Arrays) else "pipeline",
        name=task.name,
        version=None,
        classes=classes,
        splits={name: _split(name, found) for name, found in data.items()},
        label_kind=kinds,
        own_data=data,
    )


def _own_data(task: Task, split: str, given: Any) -> Arrays | DataPipeline:
    where = f"{type(task).__name__}.data()[{split!r}]"
    if isinstance(given, DataPipeline):
        _check_pipeline(where, given)
        return given
    if not (isinstance(given, tuple) and len(given) in (2, 3)):
        raise UserError(
            f"{where} must be (inputs, labels), with sample_weight behind them if you like, or a"
            " DataPipeline; labels may be ()"
        )
    return _arrays(where, *tf.nest.map_structure(_as_array, given))


def _arrays(where: str, inputs: Any, labels: Any, weights: np.ndarray | None = None) -> Arrays:
    labels = by_output(labels, _as_column)
    if weights is not None:
        weights = weights.astype(np.float32)
        if weights.ndim != 1 or not (np.isfinite(weights) & (weights >= 0)).all():
            raise UserError(f"{where} must have a sample_weight of 0 or more for each example")
    every = (inputs, labels, () if weights is None else weights)
    shapes = [array.shape for array in tf.nest.flatten(every)]
    if len({shape[:1] for shape in shapes}) != 1 or not shapes[0]:
        raise UserError(
            f"{where} has arrays of the shapes {', '.join(map(str, shapes))}; the first dimension"
            " of each must be the number of examples"
        )
    return Arrays(inputs, labels, weights)


def _as_array(values: Any) -> np.ndarray:
    """As TensorFlow computes with it: float32, and integers in 32 bits."""
    array = np.asarray(values)
    if array.dtype == np.float64:
        return array.astype(np.float32)
    limits = np.iinfo(np.int32)
    fits = array.dtype == np.int64 and limits.min <= array.min(initial=0) <= limits.max
    return array.astype(np.int32) if fits and array.max(initial=0) <= limits.max else array


def _check_pipeline(where: str, pipeline: DataPipeline) -> None:
    """Refuse examples that cannot be batched, and warn of those that differ from call to call.

    Raises:
        UserError: saying what they must be.
    """
    spec = pipeline.element_spec
    if not (isinstance(spec, tuple) and len(spec) in (2, 3)):
        raise UserError(f"{where} must give pairs (inputs, labels), and gives {spec}")
    for one in tf.nest.flatten(spec):
        if not one.shape.is_fully_defined():
            raise UserError(
                f"{where} gives examples of the shape {one.shape}, which must be the same for all;"
                " pad or crop them, with tf.ensure_shape say, and do not batch them"
            )
    known = int(pipeline.make_dataset(None, 0).cardinality())
    if known >= 0 and known != pipeline.examples:
        raise UserError(
            f"{where} gives {known} examples, and its DataPipeline has"
            f" examples={pipeline.examples}; correct one of them"
        )
    first, again = (_first_example(pipeline.make_dataset(0, 0)) for _ in range(2))
    if not all(np.array_equal(*pair) for pair in zip(first, again, strict=True)):
        logger.warning(
            "%s gives another first example when it is called with the same epoch and seed again:"
            " a resumed run will not end with the same weights; draw from its two arguments alone",
            where,
        )


def _first_example(dataset: tf.data.Dataset) -> list[np.ndarray]:
    return [np.asarray(value) for one in dataset.take(1) for value in tf.nest.flatten(one)]


def _kinds(data: Arrays | DataPipeline) -> LabelKinds:
    """The kind of the labels; those of arrays in a dict have one by output."""
    if isinstance(data, Arrays):
        return by_output(data.labels, lambda labels: _kind(labels, 1))
    return _kind(data.element_spec[1], 0)


def _kind(labels: Any, class_dimensions: int) -> LabelKind:
    is_array = isinstance(labels, (np.ndarray, tf.TensorSpec))
    is_integer = is_array and tf.as_dtype(labels.dtype).is_integer
    return "class" if is_integer and len(labels.shape) == class_dimensions else "numbers"


def _names(task: Task, data: Mapping[str, Arrays | DataPipeline], kinds: LabelKinds) -> Names:
    """Classes by their numbers; of other labels the numbers of their columns."""
    labels = [found.labels for found in data.values() if isinstance(found, Arrays)]
    if len(labels) == len(data):
        if isinstance(kinds, str):
            return _numbered(labels, kinds)
        return {
            output: _numbered([of_split[output] for of_split in labels], kind)
            for output, kind in kinds.items()
        }
    if kinds == "class":
        raise UserError(
            f"the data of {task.name} come from a pipeline, whose classes are not known before;"
            f' give {type(task).__name__} their names, classes = ("cat", "dog")'
        )
    pipelines = [found for found in data.values() if isinstance(found, DataPipeline)]
    spec = pipelines[0].element_spec[1]
    return _numbered([spec], "numbers")


def _numbered(labels: Sequence[Any], kind: LabelKind) -> tuple[str, ...]:
    """As many numbers as there are classes, or columns."""
    if kind == "class":
        return tuple(map(str, range(1 + max(int(of_split.max(initial=0)) for of_split in labels))))
    if not isinstance(labels[0], (np.ndarray, tf.TensorSpec)):
        return ()
    return tuple(map(str, range(labels[0].shape[-1] if len(labels[0].shape) else 1)))


def _as_column(labels: Any) -> Any:
    """One number an example as [examples, 1], so that it is of the shape of the output."""
    is_number = isinstance(labels, np.ndarray) and labels.dtype == np.float32 and labels.ndim == 1
    return labels[:, None] if is_number else labels


def _check_classes(task: Task, data: Mapping[str, Arrays | DataPipeline], classes: int) -> None:
    for name, found in data.items():
        if not isinstance(found, Arrays):
            continue
        outside = found.labels[(found.labels < 0) | (found.labels >= classes)]
        if outside.size:
            raise UserError(
                f"{type(task).__name__}.data()[{name!r}] has the class {outside[0]}; there are"
                f" {classes}, from 0 on"
            )


def _split(name: str, data: Arrays | DataPipeline) -> Split:
    return Split(
        name=name,
        examples=data.examples,
        fingerprint=data.fingerprint,
        references=lambda: tf.data.Dataset.range(data.examples),
        read=tf.identity,
        shuffle_buffer_size=data.examples,
        describe="example {}".format,
        weights=data.weights if isinstance(data, Arrays) else None,
    )
