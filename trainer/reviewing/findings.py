"""A review of data: near-duplicates, likely wrong labels, and the odd ones out."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer.core import atomic
from trainer.reviewing.examples import Examples
from trainer.reviewing.label_errors import LabelError, find_label_errors
from trainer.reviewing.neighbours import Neighbours, find_neighbours

COLUMNS = ("finding", "score", "split", "image", "label", "suggestion", "other_split", "other")


@dataclasses.dataclass(frozen=True)
class Review:
    """What is likely wrong with some examples."""

    examples: Examples
    neighbours: Neighbours
    label_errors: Sequence[LabelError]

    @property
    def duplicates(self) -> list[tuple[int, int, float]]:
        """Pairs of near-duplicates and their cosine; those across splits first."""
        pairs = [
            (int(one), int(other), float(cosine))
            for (one, other), cosine in zip(
                self.neighbours.pairs, self.neighbours.cosines, strict=True
            )
        ]
        return sorted(pairs, key=lambda pair: not self.is_across_splits(*pair[:2]))

    def is_across_splits(self, one: int, other: int) -> bool:
        """Whether two examples are of different splits, so that a model is tested on one it knows
        already."""
        return self.examples.split_names[one] != self.examples.split_names[other]

    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        across = [self.is_across_splits(one, other) for one, other, _ in self.duplicates]
        return {
            "near-duplicates across splits": sum(across),
            "near-duplicates within a split": len(across) - sum(across),
            "likely wrong labels": len(self.label_errors),
            "odd ones out": len(self.neighbours.odd_ones),
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row a finding, with a value for each of `COLUMNS` that it has."""
        for one, other, cosine in self.duplicates:
            yield {
                "finding": "near-duplicate",
                **self._row(one, cosine),
                "other_split": self.examples.split_names[other],
                "other": self.examples.split.describe(other),
            }
        for error in self.label_errors:
            yield {
                "finding": "label",
                **self._row(error.position, error.score),
                "label": error.label,
                "suggestion": error.suggestion,
            }
        for position in map(int, self.neighbours.odd_ones):
            yield {
                "finding": "odd",
                **self._row(position, float(self.neighbours.distances[position])),
            }

    def write_csv(self, path: Path) -> None:
        """All rows.

        Raises:
            OSError: it cannot be written.
        """
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows())
        atomic.write_bytes(path, text.getvalue().encode(errors="surrogateescape"))

    def _row(self, position: int, score: float) -> dict[str, Any]:
        return {
            "score": f"{score:.4f}",
            "split": self.examples.split_names[position],
            "image": self.examples.split.describe(position),
            "label": self.examples.label_of(position),
        }


def review(examples: Examples, similarity: float, seed: int) -> Review:
    """Look for what is wrong; nothing of it is changed.

    Args:
        examples: All examples of the data.
        similarity: The cosine from which on a pair is one of near-duplicates.
        seed: Of the folds by which labels are checked.
    """
    neighbours = find_neighbours(examples.features, similarity)
    return Review(examples, neighbours, find_label_errors(examples, seed))
