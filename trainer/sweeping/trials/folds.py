"""K-fold cross-validation: train and validation as one pool, cut into parts that take turns."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data.labels import from_columns
from trainer.data.splits import Source
from trainer.loop.array_batches import ArrayBatches, epoch_rows
from trainer.loop.batches import Batch

POOL = ("train", "validation")
"""The splits that are cut anew; test stays out."""


class FoldBatches(ArrayBatches):
    """Some rows of arrays that hold the pool.

    Which rows and how many comes in with the iterator, so one program serves all folds whose
    batches are as many.
    """

    def __init__(self, pool: ArrayBatches, rows: np.ndarray) -> None:
        """Of the pool's batch size and seed.

        Args:
            pool: The examples of all folds.
            rows: Which of them, int [rows].
        """
        vars(self).update(vars(pool))
        self._rows = np.asarray(rows, np.int32)
        self.examples = len(rows)

    @property
    def labels(self) -> np.ndarray:
        """Those of the rows."""
        labels = tf.nest.map_structure(lambda array: array.numpy(), self._arrays[1])
        return from_columns(labels)[self._rows]

    def make_iterator(self, epoch: int | None, first: int = 0) -> Any:  # noqa: ARG002
        """The rows of every step of the epoch, int32 [steps, batch_size], and how many count."""
        rows = self._rows
        if epoch is not None:
            order, _ = epoch_rows(self, self._seed, epoch)
            rows = rows[order]
        by_step = np.resize(rows, [self.steps, self.batch_size])
        return tf.constant(by_step), tf.constant(self.examples)

    def get_next(self, iterator: Any, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """The rows of a step."""
        rows_by_step, examples = iterator
        rows = tf.gather(rows_by_step, step)
        inputs, labels = tf.nest.map_structure(lambda array: tf.gather(array, rows), self._arrays)
        places = step * self.batch_size + tf.range(self.batch_size)
        weight = tf.cast(places < examples, tf.float32)
        if self.weights is not None:
            weight *= tf.gather(tf.constant(self.weights), rows)
        return (inputs, labels, weight), rows


def pooled(batches: Mapping[str, ArrayBatches]) -> ArrayBatches:
    """The examples of train and validation, one behind the other."""
    parts = [batches[split] for split in POOL]
    pool = copy.copy(parts[0])
    pool._arrays = tf.nest.map_structure(
        lambda *arrays: tf.concat(arrays, 0), *(part._arrays for part in parts)
    )
    pool.examples = sum(part.examples for part in parts)
    if any(part.weights is not None for part in parts):
        ones = (np.ones(part.examples, np.float32) for part in parts)
        pool.weights = np.concatenate(
            [one if p.weights is None else p.weights for p, one in zip(parts, ones, strict=True)]
        )
    return pool


def fold_rows(
    labels: np.ndarray, groups: np.ndarray | None, folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows of train and of validation in each fold, by scikit-learn's splitters.

    Every fold has about the same share of each class, where labels are classes; no group is torn.

    Args:
        labels: Of the pool.
        groups: Of the pool, text [examples]; "" for an example of no group.
        folds: How many.
        seed: The cut follows from it.

    Raises:
        UserError: scikit-learn is not installed, or there are too few examples or groups.
    """
    try:
        from sklearn import model_selection
    except ImportError:
        raise UserError(
            "--folds needs scikit-learn; pip install 'tf-trainer[search]' brings it"
        ) from None
    by_class = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
    groups = None if groups is None or not (groups != "").any() else _with_own_groups(groups)
    _check_size(labels if by_class else None, groups, len(labels), folds)
    kind = f"{'Stratified' if by_class else ''}{'GroupKFold' if groups is not None else 'KFold'}"
    cut = getattr(model_selection, kind)(folds, shuffle=True, random_state=seed)
    return list(cut.split(np.zeros(len(labels)), labels if by_class else None, groups))


def pool_groups(source: Source) -> np.ndarray | None:
    """The groups of the pool; None where the data have none."""
    found = [source.splits[split].groups for split in POOL]
    return (
        None
        if any(g is None for g in found)
        else np.concatenate([g for g in found if g is not None])
    )


def _with_own_groups(groups: np.ndarray) -> np.ndarray:
    """Numbers of the groups, with one for each example that has none."""
    names = [group or f"\0{number}" for number, group in enumerate(groups)]
    return np.unique(names, return_inverse=True)[1]


def _check_size(
    classes: np.ndarray | None, groups: np.ndarray | None, examples: int, folds: int
) -> None:
    count, what = examples, "examples of train and validation"
    if groups is not None:
        count, what = len(np.unique(groups)), "groups"
    elif classes is not None:
        count, what = int(np.bincount(classes)[np.unique(classes)].min()), "of the rarest class"
    if count < folds:
        raise UserError(f"--folds {folds}: there are only {count} {what}; choose fewer folds")
