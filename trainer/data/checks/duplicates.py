"""Images that are there more than once, byte for byte, where they should not be."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.data.pipeline.batches import without_autotune
from trainer.data.splits import Split

LISTED_IMAGES, LISTED_PLACES = 100, 10
"""How many images are listed, and of each how many places; all are counted."""

_READ_TOGETHER = 16
"""Images in memory at once, which may be as large as cameras make them, twice over."""


class Place(NamedTuple):
    """Where an image stands: a split, its position there, and its label."""

    split: str
    position: int
    label: int


@dataclasses.dataclass(frozen=True)
class Duplicates:
    """Images that stand in several places."""

    images: int
    """How many images these are, however often each is there."""

    listed: Sequence[Sequence[Place]]
    """The places of the first of them: of each first one for every split and label."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """What the splits hold: of each example where it stands, and the SHA-256 of its bytes."""

    places: Sequence[Place]
    digests: Sequence[bytes]


def contents_of(splits: Mapping[str, Split], progress: Callable[[int, int], None]) -> Contents:
    """Read every image once, without decoding it.

    Raises:
        tf.errors.OpError: one cannot be read.
    """
    total = sum(split.examples for split in splits.values())
    places, digests = list[Place](), list[bytes]()
    for name, split in splits.items():
        positions = itertools.count()
        for encoded, labels in _batches(split):
            digests += [hashlib.sha256(image).digest() for image in encoded]
            places += [Place(name, next(positions), int(label)) for label in labels]
            progress(len(places), total)
    return Contents(places, digests)


def across_splits(contents: Contents) -> Duplicates:
    """Images in more than one split: a test of them asks for what was learnt by heart."""
    return _duplicates(contents, lambda place: place.split)


def under_two_labels(contents: Contents) -> Duplicates:
    """Images with more than one label: one of these is wrong."""
    return _duplicates(contents, lambda place: place.label)


def _batches(split: Split) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Encoded images and their labels in the stored order, some at a time."""

    def read(reference: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return split.read(reference), label

    images = split.references().map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return without_autotune(images.batch(_READ_TOGETHER).prefetch(1)).as_numpy_iterator()


def _duplicates(contents: Contents, told_apart_by: Callable[[Place], str | int]) -> Duplicates:
    groups = [
        group for group in _repeated(contents) if len({told_apart_by(place) for place in group}) > 1
    ]
    listed = [_tellingly_first(group)[:LISTED_PLACES] for group in groups[:LISTED_IMAGES]]
    return Duplicates(len(groups), listed)


def _repeated(contents: Contents) -> list[list[Place]]:
    """The places of each image that has more than one, but those without a label."""
    copies = collections.Counter(contents.digests)
    groups: dict[bytes, list[Place]] = {}
    for place, digest in zip(contents.places, contents.digests, strict=True):
        if copies[digest] > 1 and place.label >= 0:
            groups.setdefault(digest, []).append(place)
    return list(groups.values())


def _tellingly_first(group: Sequence[Place]) -> list[Place]:
    """One place for each split and label, then the others."""
    firsts: dict[tuple[str, int], Place] = {}
    for place in group:
        firsts.setdefault((place.split, place.label), place)
    return [*firsts.values(), *(place for place in group if place not in firsts.values())]
