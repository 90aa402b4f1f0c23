"""What a trained network says of images, as rows for people and for machines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.data.labels import Names
from trainer.report.display import Table
from trainer.task import LabelKind, LabelKinds

UNKNOWN = "unknown"
"""What is predicted of an image whose most probable class has too low a score."""


@dataclasses.dataclass(frozen=True)
class Predictions:
    """The scores of some images.

    ```python
    predictions = run.predict(["rose.jpg", "tulip.jpg"])
    predictions.predicted   # ["roses", "tulips"]
    predictions.scores      # float32 [images, names]
    print(predictions)      # a table
    ```
    """

    images: tuple[str, ...]
    """Their files, in the order in which they were given; those that cannot be read are left
    out."""

    names: Names
    """Of the classes, the labels or the numbers; of several outputs by output."""

    kinds: LabelKinds
    scores: Any
    """Calibrated probabilities, or numbers: float32 [images, names]; of several outputs a dict."""

    unreadable: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The files that cannot be read, and what is wrong with each: "is empty"."""

    unknown_below: float = 0.0
    """Where the most probable class has a lower score, it is unknown."""

    @property
    def predicted(self) -> list[Any]:
        """Of each image its class, "unknown" among them; the labels that it has; its numbers."""
        return [row["predicted"] for row in self.rows()]

    def rows(self, top: int | None = None) -> Iterator[dict[str, Any]]:
        """A row an image, as JSON takes it: its file, what is predicted, and the scores by name.

        Of several outputs each has what is predicted and its scores in a dict by its name.

        Args:
            top: So many scores of classes and labels, the highest first; all in their order when
                None.
        """
        for number, image in enumerate(self.images):
            if isinstance(self.kinds, str):
                yield {
                    "image": image,
                    **self._one(self.kinds, self.names, self.scores[number], top),
                }
            else:
                yield {"image": image, **self._by_output(number, top)}

    def table(self, top: int = 1) -> Table:
        """For people: the most probable classes of each image, its labels, its numbers."""
        rows = {row["image"]: _cells(row, top) for row in self.rows(top)}
        return Table("image", rows)

    def __len__(self) -> int:
        """How many images were read."""
        return len(self.images)

    def __str__(self) -> str:
        """The table."""
        return str(self.table())

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        return self.table(top=3)._repr_html_()

    def _by_output(self, number: int, top: int | None) -> dict[str, Any]:
        assert not isinstance(self.kinds, str) and isinstance(self.names, Mapping)
        ones = {
            output: self._one(kind, self.names[output], self.scores[output][number], top)
            for output, kind in self.kinds.items()
        }
        fields = ("predicted", "scores")
        return {field: {output: one[field] for output, one in ones.items()} for field in fields}

    def _one(
        self, kind: LabelKind, names: Any, scores: np.ndarray, top: int | None
    ) -> dict[str, Any]:
        values = [float(f"{score:.7g}") for score in scores]
        named = dict(zip(names, values, strict=True))
        if kind == "numbers":
            return {"predicted": named, "scores": named}
        ranked = sorted(named, key=lambda name: -named[name])
        shown = named if top is None else {name: named[name] for name in ranked[:top]}
        if kind == "labels":
            return {"predicted": [name for name in names if named[name] > 0.5], "scores": shown}
        best = ranked[0]
        is_known = named[best] >= self.unknown_below
        return {"predicted": best if is_known else UNKNOWN, "scores": shown}


def concatenated(parts: Sequence[Predictions]) -> Predictions:
    """Several predictions of one network as one."""
    first = parts[0]
    scores = (
        np.concatenate([part.scores for part in parts])
        if isinstance(first.kinds, str)
        else {name: np.concatenate([p.scores[name] for p in parts]) for name in first.kinds}
    )
    images = tuple(image for part in parts for image in part.images)
    unreadable = {image: error for part in parts for image, error in part.unreadable.items()}
    return dataclasses.replace(first, images=images, scores=scores, unreadable=unreadable)


def flat_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with a column for each value, as CSV takes it."""
    cells: dict[str, Any] = {"image": row["image"]}
    for output, predicted, scores in _outputs(row):
        prefix = f"{output} " if output else ""
        if not isinstance(predicted, dict):  # of numbers the scores are what is predicted
            listed = predicted if isinstance(predicted, str) else ";".join(predicted)
            cells[f"{prefix}predicted"] = listed
        cells |= {prefix + name: score for name, score in scores.items()}
    return cells


def _cells(row: Mapping[str, Any], top: int) -> dict[str, str]:
    cells: dict[str, str] = {}
    for output, predicted, scores in _outputs(row):
        prefix = f"{output} " if output else ""
        if isinstance(predicted, dict):
            cells |= {prefix + name: f"{value:.4g}" for name, value in predicted.items()}
            continue
        told = predicted if isinstance(predicted, str) else ", ".join(predicted) or "none"
        cells[f"{prefix}predicted"] = told
        for place, (name, score) in enumerate(list(scores.items())[:top], 1):
            shown = f"{score:.3f}" if name == predicted and place == 1 else f"{name} {score:.3f}"
            cells[f"{prefix}score" if place == 1 else f"{prefix}{place}."] = shown
    return cells


def _outputs(row: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, float]]]:
    """The name of each output, "" of a single one, what is predicted, and its scores."""
    scores = row["scores"]
    if any(isinstance(value, Mapping) for value in scores.values()):
        for output in scores:
            yield output, row["predicted"][output], scores[output]
    else:
        yield "", row["predicted"], scores
