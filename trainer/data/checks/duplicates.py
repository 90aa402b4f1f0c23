"""Identical images, byte for byte, where there should be none: in two splits, or two classes."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.core.hashing import sha256
from trainer.core.progress import progress_bar
from trainer.data.labels import from_columns
from trainer.data.pipeline.batches import without_autotune
from trainer.data.splits import Split

LISTED_IMAGES, LISTED_PLACES = 100, 10
"""How many images are listed, and how many places of each; all are counted."""

_READ_BATCH = 16
"""Images in memory at once, twice over, each of which may be as large as cameras make them."""


class Place(NamedTuple):
    """One example: its split, its position there, and its label."""

    split: str
    position: int
    label: int
    """Its class; 0 where labels are no classes."""


@dataclasses.dataclass(frozen=True)
class Duplicates:
    """Images that are in several places."""

    images: int
    """The number of different images, each counted once."""

    listed: Sequence[Sequence[Place]]
    """The places of the first images; of each image first one place per split and label."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """The place of every example, and the SHA-256 of its encoded bytes."""

    places: Sequence[Place]
    digests: Sequence[str]


def contents_from_splits(splits: Mapping[str, Split]) -> Contents:
    """The contents of splits. Images are read, not decoded; not even read where digests exist.

    Raises:
        OSError, tf.errors.OpError: an image cannot be read.
    """
    places, digests = list[Place](), list[str]()
    for name, split in splits.items():
        for position, (digest, label) in enumerate(_digests_and_labels(split)):
            digests.append(digest)
            is_class = isinstance(label, np.integer)
            places.append(Place(name, position, int(label) if is_class else 0))
    return Contents(places, digests)


def across_splits(contents: Contents) -> Duplicates:
    """Images in more than one split: data leakage."""
    return _duplicates(contents, lambda place: place.split)


def under_two_labels(contents: Contents) -> Duplicates:
    """Images with more than one label, of which at most one is right."""
    return _duplicates(contents, lambda place: place.label)


def _digests_and_labels(split: Split) -> Iterable[tuple[str, int]]:
    if split.digests is not None:
        return zip(split.digests(), split.labels(), strict=True)
    return _read_digests_and_labels(split)


def _read_digests_and_labels(split: Split) -> Iterator[tuple[str, int]]:
    def read(reference: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return split.read(reference), label

    images = split.references().map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    batches = without_autotune(images.batch(_READ_BATCH).prefetch(1))
    done = 0
    with progress_bar("looking for duplicates", "images") as report:
        for encoded, labels in batches.as_numpy_iterator():
            yield from zip(map(sha256, encoded), from_columns(labels), strict=True)
            done += len(encoded)
            report(done, split.examples)


def _duplicates(contents: Contents, distinction: Callable[[Place], str | int]) -> Duplicates:
    """The images whose places differ in the distinction."""
    groups = [group for group in _repeated(contents) if len(set(map(distinction, group))) > 1]
    listed = [_different_first(group)[:LISTED_PLACES] for group in groups[:LISTED_IMAGES]]
    return Duplicates(len(groups), listed)


def _repeated(contents: Contents) -> list[list[Place]]:
    """The places of each image that has more than one, without unlabelled places."""
    copies = collections.Counter(contents.digests)
    groups: dict[str, list[Place]] = {}
    for place, digest in zip(contents.places, contents.digests, strict=True):
        if copies[digest] > 1 and place.label >= 0:
            groups.setdefault(digest, []).append(place)
    return list(groups.values())


def _different_first(group: Sequence[Place]) -> list[Place]:
    """One place for each split and label, then the others."""
    firsts: dict[tuple[str, int], Place] = {}
    for place in group:
        firsts.setdefault((place.split, place.label), place)
    return [*firsts.values(), *(place for place in group if place not in firsts.values())]
