"""What a model gives for a split, beside the labels: what every measure and figure is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from trainer.task import LabelKind

SINGLE_OUTPUT = ""
"""The name of the output of a model that has one."""


@dataclasses.dataclass(frozen=True)
class Output:
    """The labels and the scores of one output of a model, over the examples of a split."""

    kind: LabelKind
    names: tuple[str, ...]
    """Of the classes, the labels or the numbers."""

    labels: np.ndarray
    """Classes int32 [examples], or float32 [examples, names]."""

    logits: np.ndarray
    """float32 [examples, names]; the numbers themselves where these are learned."""

    scores: np.ndarray
    """Probabilities float32 [examples, names]; the numbers themselves where these are learned."""

    weights: np.ndarray
    """The weight of each example, float32 [examples]."""

    @property
    def examples(self) -> int:
        """How many there are."""
        return len(self.labels)

    @property
    def predicted(self) -> np.ndarray:
        """The class of each example; which labels it has; its numbers."""
        if self.kind == "class":
            return self.scores.argmax(axis=-1).astype(np.int32)
        return (self.scores > 0.5).astype(np.float32) if self.kind == "labels" else self.scores

    @property
    def has_label(self) -> np.ndarray:
        """Whether each example is of each class, or has each label: bool [examples, names]."""
        if self.kind == "class":
            return self.labels[:, None] == np.arange(len(self.names))
        return self.labels > 0.5

    @property
    def is_predicted(self) -> np.ndarray:
        """The same of what is predicted."""
        if self.kind == "class":
            return self.predicted[:, None] == np.arange(len(self.names))
        return self.predicted > 0.5

    def with_scores(self, scores: np.ndarray) -> Output:
        """The same examples with other scores."""
        return dataclasses.replace(self, scores=scores)


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A split, measured once: its metrics, and what the model gives for each example."""

    split: str
    examples: int
    metrics: Mapping[str, float]
    """The loss and the metrics of the task, by name."""

    outputs: Mapping[str, Output]
    """By name; those that are neither classes, labels nor numbers are left out."""

    def map_outputs(self, function: Callable[[str, Output], Output]) -> Evaluation:
        """The same with other outputs: a function of the name and the output."""
        outputs = {name: function(name, output) for name, output in self.outputs.items()}
        return dataclasses.replace(self, outputs=outputs)
