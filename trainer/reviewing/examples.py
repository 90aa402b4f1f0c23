"""All examples of some data, with their features: what a review looks at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.data.labels import Names, columns
from trainer.data.sources import open_source
from trainer.data.splits import Split, joined
from trainer.setup.batches import BatchFactory
from trainer.task import LabelKind, LabelKinds, Task


@dataclasses.dataclass(frozen=True)
class Examples:
    """The examples of every split, one split behind the other."""

    about: str
    """The name of the data."""

    split: Split
    """All of them."""

    split_names: Sequence[str]
    """Of each example: train, validation or test."""

    features: np.ndarray
    """float32 [examples, width]."""

    labels: np.ndarray
    """Classes int32 [examples], float32 [examples, names], or a field for each output."""

    names: Names
    """Of the classes, the labels or the numbers; of several outputs by output."""

    label_kind: LabelKinds

    def label_of(self, position: int) -> str:
        """The label of an example, as people read it; of several outputs with their names."""
        labels = columns(self.labels)
        if isinstance(self.label_kind, str):
            return _label_text(self.label_kind, labels[position], self.names)
        assert isinstance(self.names, Mapping)
        texts = {
            name: _label_text(kind, labels[name][position], self.names[name])
            for name, kind in self.label_kind.items()
        }
        return "; ".join(f"{name} {text}" for name, text in texts.items())


def open_examples(task: Task, config: Config) -> Examples:
    """The data that a config chooses; features that are kept in the cache are not computed again.

    Args:
        task: Whose data they are.
        config: With the data and the extractor; it is taken as frozen, and images as they are.

    Raises:
        UserError: the data are not there, are no images, or one cannot be read.
    """
    source = open_source(task, config)
    if source.own_data is not None:
        raise UserError(f"the data of {task.name} are its own, not images; review looks at images")
    factory = BatchFactory(_frozen(config))
    splits = list(source.splits.values())
    with report_unreadable_images(splits):
        kept = [factory.stored_features(split).load() for split in splits]
    return Examples(
        about=source.name,
        split=joined(splits),
        split_names=[name for name, split in source.splits.items() for _ in range(split.examples)],
        features=np.concatenate([_as_vectors(features.vectors) for features in kept]),
        labels=np.concatenate([features.labels for features in kept]),
        names=source.classes,
        label_kind=source.label_kind,
    )


def _frozen(config: Config) -> Config:
    """The same with the extractor as it comes, and images that are not varied."""
    plain = Config(task=config.task)
    extractor = config.extractor if config.uses_extractor else plain.extractor
    return dataclasses.replace(
        plain,
        extractor=extractor,
        image_size=config.image_size if config.uses_extractor else None,
        resize=config.resize,
        weights=config.weights,
        pool=config.pool,
        seed=config.seed,
        cache_dir=config.cache_dir,
    )


def _label_text(kind: LabelKind, label: Any, names: Any) -> str:
    if kind == "class":
        return str(names[int(label)])
    if kind == "labels":
        return ", ".join(n for n, share in zip(names, label, strict=True) if share > 0.5) or "none"
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(names, label, strict=True))


def _as_vectors(features: np.ndarray) -> np.ndarray:
    """Maps are averaged over their height and width."""
    return features.mean(axis=tuple(range(1, features.ndim - 1)))
