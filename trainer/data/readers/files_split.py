"""A split of image files, wherever they lie and whatever their labels are."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.hashing import fingerprint
from trainer.data.labels import columns, label_spec
from trainer.data.splits import Split

Digests = Callable[[], Mapping[Path, str]]
"""Returns the SHA-256 of each file as hex; they are read when it is first called."""


def files_split(
    name: str,
    folder: Path,
    paths: Sequence[Path],
    labels: np.ndarray,
    digests: Digests | None = None,
    weights: np.ndarray | None = None,
) -> Split:
    """Files and the label of each as a split.

    Args:
        name: The split's.
        folder: What the fingerprint's paths are relative to.
        paths: The files, in the split's order.
        labels: [files], with a field for each output where there are several.
        digests: The SHA-256 of each file.
        weights: Of each file, float32 [files].
    """
    names = [str(path) for path in paths]
    # As bytes: a file's name need not be UTF-8.
    references = tf.constant([os.fsencode(path) for path in names], tf.string)
    label_columns = tf.nest.map_structure(tf.constant, columns(labels))
    weighted = [] if weights is None else [weights.tolist()]
    states = [_file_state(path, folder) for path in paths]
    return Split(
        name=name,
        examples=len(names),
        fingerprint=fingerprint([*states, *_as_json(labels), *weighted]),
        references=lambda: tf.data.Dataset.from_tensor_slices((references, label_columns)),
        read=tf.io.read_file,
        shuffle_buffer_size=len(names),
        describe=names.__getitem__,
        digests=digests and functools.partial(_digests_in_order, digests, paths),
        label_spec=label_spec(labels),
        weights=weights,
    )


def _digests_in_order(digests: Digests, paths: Sequence[Path]) -> list[str]:
    by_path = digests()
    return [by_path[path] for path in paths]


def _file_state(path: Path, folder: Path) -> list[str | int]:
    """What identifies a version of a file, in the folder or not, without reading it."""
    state = path.stat()
    return [os.path.relpath(path, folder), state.st_size, state.st_mtime_ns]


def _as_json(labels: np.ndarray) -> list[Any]:
    """The label of each example; of several outputs all labels of each."""
    if labels.dtype.names is None:
        return labels.tolist()
    return [[name, labels[name].tolist()] for name in labels.dtype.names]
