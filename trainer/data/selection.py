"""Some classes of a source as a source of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.data.splits import Source, Split, fingerprint
from trainer.errors import UserError

_NOT_WANTED = -1
_COUNTED_TOGETHER = 1024


def only_classes(source: Source, classes: Sequence[str]) -> Source:
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


def _relabelled(split: Split, new_labels: Sequence[int]) -> Split:
    """The examples of a split whose new label, by their label, is not `_NOT_WANTED`."""
    by_label = tf.constant(new_labels, tf.int32)
    positions = np.flatnonzero(tf.gather(by_label, _labels(split)) != _NOT_WANTED)
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


def _labels(split: Split) -> np.ndarray:
    labels = split.references().map(lambda _, label: label).batch(_COUNTED_TOGETHER)
    return np.concatenate(list(labels.as_numpy_iterator()))
