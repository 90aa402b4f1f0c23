"""What is wrong with data that nothing refuses: leaked, mislabelled, missing, unbalanced.

Images are compared by their bytes. The same photo saved anew is another one here.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.core.hashing import fingerprint
from trainer.data.checks.duplicates import (
    Duplicates,
    Place,
    across_splits,
    contents_of,
    under_two_labels,
)
from trainer.data.readers.json_cache import keep, kept
from trainer.data.splits import Source

UNBALANCED = 10.0
"""How many times as often as the rarest the commonest class may be trained on, without a word.

The ratio is the rho of arXiv 1710.05381. Of two classes at 10 to 1, an answer that is always the
commoner is right in 10 of 11 cases: an accuracy of 0.91 that has learnt nothing.
"""

NAMED = 3
"""How many classes a line names before it counts the rest."""


_KEPT = "images by SHA-256, the first 100 at 10 places; classes by number"
"""What is kept of an audit, in words: changed whenever it is something else."""


@dataclasses.dataclass(frozen=True)
class Audit:
    """What was found in a source."""

    source: Source
    across_splits: Duplicates
    under_two_labels: Duplicates
    counts: Mapping[str, Sequence[int]]
    """Of each split, how many examples every class has."""

    @property
    def missing_classes(self) -> dict[str, list[str]]:
        """The classes that have no example, of each split that lacks any."""
        lacking = {
            split: [name for name, n in zip(self.source.classes, counts, strict=True) if not n]
            for split, counts in self.counts.items()
        }
        return {split: names for split, names in lacking.items() if names}

    @property
    def imbalance(self) -> float:
        """How many times as often as the rarest the commonest class is trained on."""
        present = [count for count in self.counts["train"] if count]
        return max(present) / min(present) if present else 1.0

    def warnings(self, class_weights: str) -> list[str]:
        """A line for each thing that a person should know of.

        Args:
            class_weights: What the option says: balanced does something about rare classes.
        """
        lines = [
            *self._duplicates_in_words(),
            *(_missing_in_words(split, names) for split, names in self.missing_classes.items()),
            *(self._imbalance_in_words() if class_weights == "none" else ()),
        ]
        return [f"warning: {line}" for line in lines]

    def as_json(self) -> dict[str, Any]:
        """The same for result.json; of very many duplicates the first."""
        return {
            "identical_across_splits": self._as_json(self.across_splits),
            "identical_under_two_labels": self._as_json(self.under_two_labels),
            "missing_classes": self.missing_classes,
            "imbalance": round(self.imbalance, 1) if self.imbalance >= UNBALANCED else None,
        }

    def _duplicates_in_words(self) -> Iterator[str]:
        across, labelled = self.across_splits, self.under_two_labels
        if across.images:
            yield (
                f"{_images(across)} in more than one split, {self._two_places(across, 'split')}:"
                " measuring on them proves nothing; keep each in one (result.json lists them)"
            )
        if labelled.images:
            yield (
                f"{_images(labelled)} under more than one label,"
                f" {self._two_places(labelled, 'label')}: keep the right one (result.json lists"
                " them)"
            )

    def _two_places(self, duplicates: Duplicates, by: str) -> str:
        """The first image at two places that differ by their split or label."""
        first, *others = duplicates.listed[0]
        other = next(place for place in others if getattr(place, by) != getattr(first, by))
        places = (
            f"{self._name(place)} ({self._class(place)}, {place.split})" for place in (first, other)
        )
        return f"the same bytes at {' and '.join(places)}"

    def _imbalance_in_words(self) -> Iterator[str]:
        if self.imbalance < UNBALANCED:
            return
        counted = zip(self.counts["train"], self.source.classes, strict=True)
        present = sorted((count, name) for count, name in counted if count)
        (least, rare), (most, common) = present[0], present[-1]
        yield (
            f"train has {most:,} images of {common} and {least:,} of {rare}: accuracy hides how the"
            " rare classes do; add images of them, or try --class-weights balanced"
        )

    def _name(self, place: Place) -> str:
        return self.source.splits[place.split].describe(place.position)

    def _class(self, place: Place) -> str:
        return self.source.classes[place.label]

    def _as_json(self, duplicates: Duplicates) -> dict[str, Any]:
        def told(place: Place) -> dict[str, str]:
            named = {"split": place.split, "class": self._class(place)}
            return {**named, "image": self._name(place)}

        groups = [[told(place) for place in group] for group in duplicates.listed]
        return {"images": duplicates.images, "groups": groups}


def audit(source: Source, memory: Path, progress: Callable[[int, int], None]) -> Audit:
    """Look through all images of a source, or for what was found when it was the same.

    Args:
        source: The data.
        memory: The folder where findings are kept.
        progress: Told how many images are done, of how many.

    Raises:
        tf.errors.OpError: an image cannot be read.
    """
    fingerprints = {name: split.fingerprint for name, split in source.splits.items()}
    place = memory / f"{fingerprint([_KEPT, fingerprints, len(source.classes)])}.json"
    found = kept(place)
    if found is None:
        found = _found(source, progress)
        keep(place, found)
    across, labelled = _from_json(found["across_splits"]), _from_json(found["under_two_labels"])
    return Audit(source, across, labelled, found["counts"])


def _found(source: Source, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """What is kept: positions and labels, for the names may change."""
    contents = contents_of(source.splits, progress)
    labelled = collections.Counter((place.split, place.label) for place in contents.places)
    labels = range(len(source.classes))
    return {
        "across_splits": dataclasses.asdict(across_splits(contents)),
        "under_two_labels": dataclasses.asdict(under_two_labels(contents)),
        "counts": {name: [labelled[name, label] for label in labels] for name in source.splits},
    }


def _from_json(told: Mapping[str, Any]) -> Duplicates:
    listed = [[Place(*place) for place in group] for group in told["listed"]]
    return Duplicates(told["images"], listed)


def _images(duplicates: Duplicates) -> str:
    return "1 image is" if duplicates.images == 1 else f"{duplicates.images:,} images are"


def _missing_in_words(split: str, names: Sequence[str]) -> str:
    more = len(names) - NAMED
    listed = ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
    done = "learnt" if split == "train" else "measured"
    these = "it" if len(names) == 1 else "them"
    return f"{split} has no image of {listed}: nothing is {done} of {these} there; add some"
