"""Which features of a TFDS dataset are the image and the labels, and how labels become tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data.labels import Names, output_sizes
from trainer.data.splits import CLASS_SPEC
from trainer.task import LabelKind, LabelKinds

DATASETS: Mapping[str, str] = {
    "class": "an image classification dataset",
    "labels": "a multi-label image dataset",
    "numbers": "an image regression dataset",
}
"""What messages call a dataset whose labels are of that kind."""

NOUNS: Mapping[str, str] = {
    "class": "class label",
    "labels": "label sequence",
    "numbers": "numeric feature",
}
"""What messages call a feature of that kind."""

CHOICE_HINTS: Mapping[str, str] = {
    NOUNS[kind]: f'; choose one by its name, label_kind = {{"…": "{kind}"}}'
    for kind in ("labels", "numbers")
}
"""What to do about several features that suit."""

EXPECTED: Mapping[str, str] = {
    "class": "a ClassLabel",
    "labels": "a Sequence of ClassLabel",
    "numbers": "one number, or a vector of float numbers",
}
"""The features that are of that kind."""


@dataclasses.dataclass(frozen=True)
class LabelFeature:
    """A feature that is the label of an image, or that of one output."""

    key: str
    kind: LabelKind
    names: tuple[str, ...]
    """Of the classes, the labels or the numbers."""

    def label(self, example: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The label in a graph: a class, int32 []; or float32 [names], 1 or 0, or the numbers.

        A whole number above 2**24 is rounded to what float32 can hold.
        """
        value = example[self.key]
        if self.kind == "class":
            return tf.cast(value, tf.int32)
        if self.kind == "labels":
            return _multi_hot(value, len(self.names))
        return tf.reshape(tf.cast(value, tf.float32), [len(self.names)])


@dataclasses.dataclass(frozen=True)
class DatasetFeatures:
    """The features of a dataset that are the image and the labels."""

    image: str
    """The key of the image."""

    labels: LabelFeature | Mapping[str, LabelFeature]
    """The label; of several outputs by output."""

    @property
    def label_features(self) -> tuple[LabelFeature, ...]:
        """The label, or those of all outputs."""
        return (self.labels,) if isinstance(self.labels, LabelFeature) else (*self.labels.values(),)

    @property
    def keys(self) -> list[str]:
        """The keys of all features that are read."""
        return [self.image, *(label.key for label in self.label_features)]

    @property
    def names(self) -> Names:
        """Of the classes, the labels or the numbers; of several outputs by output."""
        return self._by_output(lambda label: label.names)

    def label(self, example: Mapping[str, tf.Tensor]) -> Any:
        """The label of an example in a graph: a tensor; of several outputs a dict of them."""
        return self._by_output(lambda label: label.label(example))

    def _by_output(self, value: Callable[[LabelFeature], Any]) -> Any:
        if isinstance(self.labels, LabelFeature):
            return value(self.labels)
        return {output: value(label) for output, label in self.labels.items()}


def dataset_features(dataset: str, info: Any, kinds: LabelKinds) -> DatasetFeatures:
    """The image and the labels among a dataset's features.

    A feature is the only one that suits; among several, the one that TFDS gives as supervised key.
    The label of each of several outputs is the feature whose key is the output's name.

    Args:
        dataset: The dataset's name, for messages.
        info: The DatasetInfo of TFDS.
        kinds: What the label of an image is; of several outputs by output.

    Raises:
        UserError: there is no such feature, or several; or one of an output is of another kind.
    """
    features = dict(info.features or {})
    unsuitable = f"{dataset} of TFDS is not {_wanted(kinds)}"
    image = _only_key(info, "image", _is_image, unsuitable)
    if not isinstance(kinds, str):
        return DatasetFeatures(image, _features_by_output(dataset, features, kinds))
    key = _only_key(info, NOUNS[kinds], KIND_TESTS[kinds], unsuitable)
    return DatasetFeatures(image, _label_feature(key, kinds, features[key]))


def label_kind_key(kinds: LabelKinds) -> list[Any]:
    """What the kinds of labels add to the key of a cache."""
    # Nothing for one class, whose keys are older than the other kinds.
    if kinds == "class":
        return []
    return [kinds if isinstance(kinds, str) else dict(kinds)]


def label_specs(kinds: LabelKinds, names: Names) -> Any:
    """The spec of one label by its kind and names; a dict of specs where there are several outputs.

    Nothing of TFDS is needed for it.
    """
    counts = output_sizes(names)
    if isinstance(kinds, str):
        return _label_spec(kinds, counts)
    return {output: _label_spec(kind, counts[output]) for output, kind in kinds.items()}


def _label_spec(kind: LabelKind, count: int) -> tf.TensorSpec:
    return CLASS_SPEC if kind == "class" else tf.TensorSpec([count], tf.float32)


def _multi_hot(labels: tf.Tensor, count: int) -> tf.Tensor:
    """The numbers of an image's labels as float32 [count], 1 at each of them; 0 without any."""
    # The sum of no labels is 0, the maximum would be -inf; a label may be there twice.
    return tf.minimum(tf.reduce_sum(tf.one_hot(labels, count), axis=0), 1)


def _wanted(kinds: LabelKinds) -> str:
    """What messages call a dataset with such labels."""
    return DATASETS[kinds] if isinstance(kinds, str) else "an image dataset"


def _only_key(info: Any, noun: str, suits: Callable[[Any], bool], unsuitable: str) -> str:
    """The only feature that suits; among several, the one that TFDS gives as supervised key."""
    found = sorted(key for key, feature in (info.features or {}).items() if suits(feature))
    supervised = [key for key in found if key in (info.supervised_keys or ())]
    for choice in (found, supervised):
        if len(choice) == 1:
            return choice[0]
    having = f"{len(found)} {noun}s ({', '.join(found)})" if found else f"no {noun}"
    hint = CHOICE_HINTS.get(noun, "") if found else ""
    raise UserError(f"{unsuitable}: its examples have {having}{hint}")


def _features_by_output(
    dataset: str, features: Mapping[str, Any], kinds: Mapping[str, LabelKind]
) -> dict[str, LabelFeature]:
    missing = [output for output in kinds if output not in features]
    if missing:
        raise UserError(
            f"{dataset} of TFDS has no feature {missing[0]!r}, which label_kind names; choose from"
            f" {', '.join(sorted(features))}"
        )
    for output, kind in kinds.items():
        _check_kind(dataset, output, kind, features[output])
    return {
        output: _label_feature(output, kind, features[output]) for output, kind in kinds.items()
    }


def _check_kind(dataset: str, key: str, kind: LabelKind, feature: Any) -> None:
    if not (KIND_TESTS[kind](feature) and _names(key, kind, feature)):
        raise UserError(
            f"{dataset} of TFDS: the feature {key!r} is {_described(feature)}, and label_kind has"
            f" {kind!r} for it, which must be {EXPECTED[kind]}; change label_kind"
        )


def _described(feature: Any) -> str:
    """A feature as TFDS writes it, or its type where that takes several lines."""
    text = repr(feature)
    return type(feature).__name__ if "\n" in text else text


def _label_feature(key: str, kind: LabelKind, feature: Any) -> LabelFeature:
    return LabelFeature(key, kind, _names(key, kind, feature))


def _names(key: str, kind: LabelKind, feature: Any) -> tuple[str, ...]:
    """The names of classes or labels; a number has the feature's, a vector "size/0" and so on."""
    if kind == "numbers":
        return (key,) if feature.shape == () else _numbered(key, feature.shape[0])
    classes = feature.feature if kind == "labels" else feature
    return tuple(classes.names if classes.num_classes else ())


def _numbered(key: str, count: int) -> tuple[str, ...]:
    return tuple(f"{key}/{number}" for number in range(count))


def _is_image(feature: Any) -> bool:
    from tensorflow_datasets import features

    # A LabeledImage has a class for each pixel; a float image is stored as if it were RGBA.
    integer = isinstance(feature, features.Image) and feature.np_dtype != np.float32
    return integer and not isinstance(feature, features.LabeledImage)


def _is_class(feature: Any) -> bool:
    from tensorflow_datasets import features

    return isinstance(feature, features.ClassLabel)


def _is_label_sequence(feature: Any) -> bool:
    from tensorflow_datasets import features

    # A Dataset is a Sequence too, but is read as a tf.data.Dataset.
    if not isinstance(feature, features.Sequence) or isinstance(feature, features.Dataset):
        return False
    return _is_class(feature.feature) and bool(feature.feature.num_classes)


def _is_numeric(feature: Any) -> bool:
    """Whether it is one number, or a vector of float numbers whose length is known."""
    from tensorflow_datasets import features

    if not isinstance(feature, features.Tensor) or _is_class(feature):
        return False
    is_float = np.issubdtype(feature.np_dtype, np.floating)
    if feature.shape == ():
        return is_float or np.issubdtype(feature.np_dtype, np.integer)
    return is_float and len(feature.shape) == 1 and bool(feature.shape[0])


KIND_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "class": _is_class,
    "labels": _is_label_sequence,
    "numbers": _is_numeric,
}
"""Whether a feature is of that kind."""
