"""What TFDS told of a dataset, kept as long as no file of it changes.

TFDS takes seconds to import and to open a dataset. A run that finds its features kept needs no
more than the names of the classes and the sizes of the splits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core.hashing import fingerprint
from trainer.data.readers.json_cache import keep, kept
from trainer.data.readers.tfds import (
    SHUFFLED_TOGETHER,
    dataset_files,
    example_name,
    tfds_source,
)
from trainer.data.splits import Source, Split


def cached_source(
    dataset: str, splits: Mapping[str, str] | None, data_dir: Path, memory: Path
) -> Source | None:
    """The source of a dataset whose files are those it was remembered by; None of any other.

    TFDS opens it only when an image is read.
    """
    told = kept(_path(dataset, splits, data_dir, memory))
    if told is None:
        return None
    really = functools.cache(lambda: tfds_source(dataset, splits, data_dir))
    return Source(
        kind="tfds",
        name=dataset,
        version=told["version"],
        classes=tuple(told["classes"]),
        splits={name: _split(name, split, really) for name, split in told["splits"].items()},
        cut=tuple(told["cut"]),
    )


def remember(
    source: Source, splits: Mapping[str, str] | None, data_dir: Path, memory: Path
) -> None:
    """Keep what TFDS told of a source, for `cached_source`."""
    told = {
        "version": source.version,
        "classes": source.classes,
        "splits": {
            name: {"name": s.name, "examples": s.examples, "fingerprint": s.fingerprint}
            for name, s in source.splits.items()
        },
        "cut": source.cut,
    }
    keep(_path(source.name, splits, data_dir, memory), told)


def _path(dataset: str, splits: Mapping[str, str] | None, data_dir: Path, memory: Path) -> Path:
    content = [dataset, splits and dict(splits), dataset_files(dataset, data_dir)]
    return memory / f"{fingerprint(content)}.json"


def _split(name: str, told: Mapping[str, Any], really: Callable[[], Source]) -> Split:
    return Split(
        **told,
        references=lambda: really().splits[name].references(),
        read=tf.identity,
        shuffle_buffer_size=SHUFFLED_TOGETHER,
        describe=lambda position: example_name(told["name"], position),
    )
