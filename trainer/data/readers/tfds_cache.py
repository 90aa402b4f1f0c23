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
from trainer.data.readers.tfds import (
    SHUFFLE_BUFFER_SIZE,
    dataset_files,
    example_name,
    tfds_source,
)
from trainer.data.splits import Source, Split


def cached_source(
    dataset: str, splits: Mapping[str, str] | None, data_dir: Path, cache: JsonCache
) -> Source | None:
    """The source of a dataset from the cache; None where it is not there, or a file has changed.

    TFDS opens the dataset when an image is first read.
    """
    info = cache.get(_key(dataset, splits, data_dir))
    if info is None:
        return None
    opened = functools.cache(lambda: tfds_source(dataset, splits, data_dir))
    return Source(
        kind="tfds",
        name=dataset,
        version=info["version"],
        classes=tuple(info["classes"]),
        splits={name: _split(name, about, opened) for name, about in info["splits"].items()},
        cut=tuple(info["cut"]),
    )


def open_and_cache(
    dataset: str, splits: Mapping[str, str] | None, data_dir: Path, cache: JsonCache
) -> Source:
    """The source of a dataset as TFDS opens it, put into the cache for `cached_source`.

    Raises:
        UserError: as `tfds_source`.
    """
    source = tfds_source(dataset, splits, data_dir)
    info = {
        "version": source.version,
        "classes": source.classes,
        "splits": {
            name: {"name": s.name, "examples": s.examples, "fingerprint": s.fingerprint}
            for name, s in source.splits.items()
        },
        "cut": source.cut,
    }
    cache.put(_key(dataset, splits, data_dir), info)
    return source


def _key(dataset: str, splits: Mapping[str, str] | None, data_dir: Path) -> list[Any]:
    return [dataset, splits and dict(splits), dataset_files(dataset, data_dir)]


def _split(name: str, about: Mapping[str, Any], opened: Callable[[], Source]) -> Split:
    return Split(
        **about,
        references=lambda: opened().splits[name].references(),
        read=tf.identity,
        shuffle_buffer_size=SHUFFLE_BUFFER_SIZE,
        describe=lambda position: example_name(about["name"], position),
    )
