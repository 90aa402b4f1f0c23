"""Some of the examples of a source or a split: those of some classes, or all but a few."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data.splits import Source, Split

DROPPED = -1
"""In place of a label: examples that are left out."""


def filter_classes(source: Source, classes: Sequence[str]) -> Source:
    """The examples of these classes only; labels are positions in `classes`.

    All labels of the source are read once, to count them.

    Raises:
        UserError: the source lacks one of the classes, or a split has no example of any.
    """
    missing = [name for name in classes if name not in source.classes]
    if missing:
        raise UserError(
            f"{source.name} has no class {missing[0]!r}, which the task needs; it has"
            f" {', '.join(source.classes)}"
        )
    new_labels = [classes.index(n) if n in classes else DROPPED for n in source.classes]
    splits = {name: relabel(split, new_labels) for name, split in source.splits.items()}
    return dataclasses.replace(source, classes=tuple(classes), splits=splits)


def drop_examples(split: Split, positions: Sequence[int]) -> Split:
    """The examples of a split without those at some positions, in the same order."""
    if not positions:
        return split
    dropped = tf.constant(positions, tf.int64)
    return split.subset(
        np.setdiff1d(np.arange(split.examples), positions).tolist(),
        ["without", list(positions)],
        lambda: (
            split.references()
            .enumerate()
            .filter(lambda position, _: tf.reduce_all(position != dropped))
            .map(lambda _, example: example)
        ),
    )


def relabel(split: Split, new_labels: Sequence[int]) -> Split:
    """The examples of a split with a new label for each old one; those of `DROPPED` left out."""
    by_label = tf.constant(new_labels, tf.int32)
    return split.subset(
        np.flatnonzero(tf.gather(by_label, split.labels()) != DROPPED).tolist(),
        new_labels,
        lambda: (
            split.references()
            .map(lambda reference, label: (reference, by_label[label]))
            .filter(lambda _, label: label != DROPPED)
        ),
    )
