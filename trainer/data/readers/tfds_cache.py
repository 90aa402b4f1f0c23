"""What TFDS reports about a dataset, cached until one of the dataset's files changes.

TFDS takes seconds to import and to open a dataset. A run whose features are cached needs only the
names of the classes and the sizes of the splits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.data.json_cache import JsonCache
from trainer.data.labels import names_as_json, names_from_json
from trainer.data.readers.tfds import (
    SHUFFLE_BUFFER_SIZE,
    dataset_files,
    example_name,
    tfds_source,
)
from trainer.data.readers.tfds_features import label_kind_key, label_specs
from trainer.data.splits import Source, Split
from trainer.task import LabelKinds


def cached_source(
    dataset: str,
    splits: Mapping[str, str] | None,
    data_dir: Path,
    cache: JsonCache,
    kinds: LabelKinds = "class",
) -> Source | None:
    """The source of a dataset from the cache; None where it is not there, or a file has changed.

    TFDS opens the dataset when an image is first read.
    """
    info = cache.get(_key(dataset, splits, data_dir, kinds))
    if info is None:
        return None
    opened = functools.cache(lambda: tfds_source(dataset, splits, data_dir, kinds))
    classes = names_from_json(info["classes"])
    spec = label_specs(kinds, classes)
    return Source(
        kind="tfds",
        name=dataset,
        version=info["version"],
        classes=classes,
        splits={name: _split(name, about, spec, opened) for name, about in info["splits"].items()},
        cut=tuple(info["cut"]),
        label_kind=kinds,
    )


def open_and_cache(
    dataset: str,
    splits: Mapping[str, str] | None,
    data_dir: Path,
    cache: JsonCache,
    kinds: LabelKinds = "class",
) -> Source:
    """The source of a dataset as TFDS opens it, put into the cache for `cached_source`.

    Raises:
        UserError: as `tfds_source`.
    """
    source = tfds_source(dataset, splits, data_dir, kinds)
    info = {
        "version": source.version,
        "classes": names_as_json(source.classes),
        "splits": {
            name: {"name": s.name, "examples": s.examples, "fingerprint": s.fingerprint}
            for name, s in source.splits.items()
        },
        "cut": source.cut,
    }
    cache.put(_key(dataset, splits, data_dir, kinds), info)
    return source


def _key(
    dataset: str, splits: Mapping[str, str] | None, data_dir: Path, kinds: LabelKinds
) -> list[Any]:
    files = dataset_files(dataset, data_dir)
    return [dataset, splits and dict(splits), files, *label_kind_key(kinds)]


def _split(
    name: str, about: Mapping[str, Any], label_spec: Any, opened: Callable[[], Source]
) -> Split:
    return Split(
        **about,
        references=lambda: opened().splits[name].references(),
        read=tf.identity,
        shuffle_buffer_size=SHUFFLE_BUFFER_SIZE,
        describe=lambda position: example_name(about["name"], position),
        label_spec=label_spec,
    )
