"""What a person should know about valid data: duplicates, missing classes, class imbalance.

Images are compared by their bytes: the same photo, saved once more, counts as another one.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.data.checks.duplicates import (
    Duplicates,
    Place,
    across_splits,
    contents_from_splits,
    under_two_labels,
)
from trainer.data.json_cache import JsonCache
from trainer.data.own_data import Arrays
from trainer.data.splits import Source

IMBALANCE_WARNING = 10.0
"""The imbalance ratio of the training classes from which on there is a warning.

The ratio is the rho of arXiv 1710.05381, the largest class by the smallest. With two classes at 10
to 1, always answering the larger is right in 10 of 11 cases: an accuracy of 0.91, nothing learned.
"""

NAMED_CLASSES = 3
"""How many missing classes a warning names; the rest are counted."""

_CONTENT = "images by SHA-256, the first 100 at 10 places; classes by number"
"""Part of the cache's key: to be changed whenever something else is kept of an audit."""


@dataclasses.dataclass(frozen=True)
class Audit:
    """What was found in a source."""

    source: Source
    across_splits: Duplicates
    under_two_labels: Duplicates
    counts: Mapping[str, Sequence[int]]
    """For each split, the number of examples of every class."""

    @property
    def missing_classes(self) -> dict[str, list[str]]:
        """For each split that lacks any, the classes without an example."""
        missing = {
            split: [name for name, n in zip(self.source.class_names, counts, strict=False) if not n]
            for split, counts in self.counts.items()
        }
        return {split: names for split, names in missing.items() if names}

    @property
    def imbalance(self) -> float:
        """The imbalance ratio: examples of the largest training class by those of the smallest."""
        present = [count for count in self.counts["train"] if count]
        is_known = present and self.source.class_names
        return max(present) / min(present) if is_known else 1.0

    def warnings(self, is_balanced: bool = False) -> list[str]:
        """One line for each finding.

        Args:
            is_balanced: Whether an option handles imbalance already.
        """
        return [
            *self._duplicate_warnings(),
            *(_missing_warning(split, names) for split, names in self.missing_classes.items()),
            *(self._imbalance_warning() if not is_balanced else ()),
        ]

    def as_json(self) -> dict[str, Any]:
        """The entry of result.json, which lists only the first of many duplicates."""
        ratio = self.imbalance
        return {
            "identical_across_splits": self._as_json(self.across_splits),
            "identical_under_two_labels": self._as_json(self.under_two_labels),
            "missing_classes": self.missing_classes,
            "imbalance": round(ratio, 1) if ratio >= IMBALANCE_WARNING else None,
        }

    def _duplicate_warnings(self) -> Iterator[str]:
        across, labelled = self.across_splits, self.under_two_labels
        if across.images:
            yield (
                f"{_images(across)} in more than one split, {self._two_places(across, 'split')}:"
                " data leakage, which makes metrics look better than they are; keep each in one"
                " split (result.json lists them)"
            )
        if labelled.images:
            yield (
                f"{_images(labelled)} under more than one label,"
                f" {self._two_places(labelled, 'label')}: keep the right one (result.json lists"
                " them)"
            )

    def _two_places(self, duplicates: Duplicates, by: str) -> str:
        """The first image at two places that differ in their split or label."""
        first, *others = duplicates.listed[0]
        other = next(place for place in others if getattr(place, by) != getattr(first, by))
        places = (
            f"{self._name(place)} ({', '.join(filter(None, (self._class(place), place.split)))})"
            for place in (first, other)
        )
        return f"the same bytes at {' and '.join(places)}"

    def _imbalance_warning(self) -> Iterator[str]:
        if self.imbalance < IMBALANCE_WARNING:
            return
        counted = zip(self.counts["train"], self.source.class_names, strict=True)
        present = sorted((count, name) for count, name in counted if count)
        (least, rare), (most, common) = present[0], present[-1]
        yield (
            f"train has {most:,} images of {common} and {least:,} of {rare}: accuracy hides errors"
            " in rare classes; add images of them, or choose --class-weights balanced or --sampling"
            " balanced"
        )

    def _name(self, place: Place) -> str:
        return self.source.splits[place.split].describe(place.position)

    def _class(self, place: Place) -> str:
        names = self.source.class_names
        return names[place.label] if names else ""

    def _as_json(self, duplicates: Duplicates) -> dict[str, Any]:
        def entry(place: Place) -> dict[str, str]:
            where = {"split": place.split, "class": self._class(place)}
            return {**where, "image": self._name(place)}

        groups = [[entry(place) for place in group] for group in duplicates.listed]
        return {"images": duplicates.images, "groups": groups}


def audit(source: Source, cache: JsonCache) -> Audit:
    """The audit of a source, from the cache if the source was audited before.

    Raises:
        OSError, tf.errors.OpError: an image cannot be read.
    """
    if source.own_data is not None:  # equal rows of numbers are no mistake
        return Audit(source, Duplicates(0, []), Duplicates(0, []), _class_counts(source))
    fingerprints = {name: split.fingerprint for name, split in source.splits.items()}
    key = [_CONTENT, fingerprints, len(source.classes)]
    found = cache.get_or_compute(key, lambda: _findings(source))
    across, labelled = _from_json(found["across_splits"]), _from_json(found["under_two_labels"])
    return Audit(source, across, labelled, found["counts"])


def _class_counts(source: Source) -> dict[str, list[int]]:
    if source.label_kind != "class" or source.kind == "pipeline":
        return {name: [] for name in source.splits}
    count = len(source.classes)
    return {
        name: np.bincount(found.labels, minlength=count).tolist()
        for name, found in (source.own_data or {}).items()
        if isinstance(found, Arrays)
    }


def _findings(source: Source) -> dict[str, Any]:
    """What is kept: positions and labels rather than names, which may change."""
    contents = contents_from_splits(source.splits)
    counter = collections.Counter((place.split, place.label) for place in contents.places)
    labels = range(len(source.classes))
    return {
        "across_splits": dataclasses.asdict(across_splits(contents)),
        "under_two_labels": dataclasses.asdict(under_two_labels(contents)),
        "counts": {name: [counter[name, label] for label in labels] for name in source.splits},
    }


def _from_json(found: Mapping[str, Any]) -> Duplicates:
    listed = [[Place(*place) for place in group] for group in found["listed"]]
    return Duplicates(found["images"], listed)


def _images(duplicates: Duplicates) -> str:
    return "1 image is" if duplicates.images == 1 else f"{duplicates.images:,} images are"


def _missing_warning(split: str, names: Sequence[str]) -> str:
    more = len(names) - NAMED_CLASSES
    listed = ", ".join(names[:NAMED_CLASSES]) + (f" and {more} more" if more > 0 else "")
    use = "learned" if split == "train" else "measured"
    return f"{split} has no image of {listed}, so nothing is {use} there; add some"
