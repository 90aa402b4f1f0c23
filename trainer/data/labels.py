"""Labels of many examples: an array, or an array with columns for labels of several kinds.

One example may have a class, several labels, numbers, or a dict of these by name. Many examples are
then an array with a field for each name, which NumPy stores and slices as it does any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError

Names = tuple[str, ...] | Mapping[str, tuple[str, ...]]
"""Of the classes, the labels or the numbers that data have; of several outputs by output."""


def by_output(values: Any, function: Callable[[Any], Any]) -> Any:
    """A function of a value; where that is a dict, one for each output, of each of its values."""
    if isinstance(values, Mapping):
        return {output: function(value) for output, value in values.items()}
    return function(values)


def output_sizes(names: Any) -> Any:
    """How many names there are; of several outputs by output."""
    return by_output(names, len)


def names_as_json(names: Names) -> Any:
    """Names in lists."""
    return by_output(names, list)


def names_from_json(names: Any) -> Names:
    """What `names_as_json` put into lists."""
    return by_output(names, tuple)


def check_class_labels(option: str, labels: np.ndarray) -> None:
    """Refuse an option that is for one class an example, where the labels are something else.

    Raises:
        UserError: naming it.
    """
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{option} is for one class an example, an integer; omit it")


def label_spec(labels: np.ndarray) -> Any:
    """The spec of one example's label: a TensorSpec, or a dict of them."""
    return by_output(
        columns(labels),
        lambda column: tf.TensorSpec(column.shape[1:], tf.as_dtype(column.dtype)),
    )


def columns(labels: np.ndarray) -> Any:
    """An array [examples, …], or a dict of such arrays, one for each field."""
    names = labels.dtype.names
    return labels if names is None else {name: labels[name] for name in names}


def from_columns(labels: Any) -> np.ndarray:
    """What `columns` took apart: one array, with a field for each name of a dict."""
    if not isinstance(labels, Mapping):
        return np.asarray(labels)
    arrays = {name: np.asarray(column) for name, column in labels.items()}
    fields = [(name, column.dtype, column.shape[1:]) for name, column in arrays.items()]
    joined = np.empty(len(next(iter(arrays.values()))), fields)
    for name, column in arrays.items():
        joined[name] = column
    return joined
