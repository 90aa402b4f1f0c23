"""Some of the examples of a source as a source of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.data.splits import Source, Split

_NOT_WANTED = -1


def filter_classes(source: Source, classes: Sequence[str]) -> Source:
    """The examples of these classes alone, labelled in this order.

    Every label of the source is read once, to count them.

    Raises:
        UserError: the source lacks one of the classes, or a split has no example of any.
    """
    missing = [name for name in classes if name not in source.classes]
    if missing:
        raise UserError(
            f"{source.name} has no class {missing[0]!r}, which the task learns; it has"
            f" {', '.join(source.classes)}"
        )
    new_labels = [classes.index(n) if n in classes else _NOT_WANTED for n in source.classes]
    splits = {name: _relabelled(split, new_labels) for name, split in source.splits.items()}
    return dataclasses.replace(source, classes=tuple(classes), splits=splits)


def without(split: Split, positions: Sequence[int]) -> Split:
    """The examples of a split but those at some positions, in the same order."""
    if not positions:
        return split
    left = np.setdiff1d(np.arange(split.examples), positions)
    left_out = tf.constant(positions, tf.int64)
    return dataclasses.replace(
        split,
        examples=len(left),
        fingerprint=fingerprint([split.fingerprint, "without", list(positions)]),
        references=lambda: (
            split.references()
            .enumerate()
            .filter(lambda position, _: tf.reduce_all(position != left_out))
            .map(lambda _, example: example)
        ),
        describe=lambda position: split.describe(int(left[position])),
    )


def _relabelled(split: Split, new_labels: Sequence[int]) -> Split:
    """The examples of a split whose new label, by their label, is not `_NOT_WANTED`."""
    by_label = tf.constant(new_labels, tf.int32)
    positions = np.flatnonzero(tf.gather(by_label, split.labels()) != _NOT_WANTED)
    return dataclasses.replace(
        split,
        examples=len(positions),
        fingerprint=fingerprint([split.fingerprint, *new_labels]),
        references=lambda: (
            split.references()
            .map(lambda reference, label: (reference, by_label[label]))
            .filter(lambda _, label: label != _NOT_WANTED)
        ),
        describe=lambda position: split.describe(int(positions[position])),
    )
