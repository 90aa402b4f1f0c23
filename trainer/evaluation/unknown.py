"""The score below which an answer is better left out: "none of these".

A classifier that may not answer (Chow, 1970) answers where its most probable class has at least a
score. The higher that score, the more of its answers are right, and the fewer there are.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.evaluation.outputs import Output


@dataclasses.dataclass(frozen=True)
class UnknownBelow:
    """A score, and what came of it on the examples that it was found on."""

    score: float
    """What has a lower one is unknown."""

    precision: float
    """The part of the answers that is right."""

    answered: float
    """The part of the examples that is answered."""


def unknown_below(output: Output, precision: float) -> UnknownBelow | None:
    """The lowest score with which so many of the answers are right; None where none is enough.

    Args:
        output: Of classes, with calibrated scores.
        precision: The part of the answers that is to be right.
    """
    confidence = output.scores.max(axis=-1)
    order = np.argsort(-confidence, kind="stable")
    weights = output.weights[order].astype(np.float64)
    is_right = (output.predicted == output.labels)[order]
    answered = weights.cumsum()
    found = (weights * is_right).cumsum() / np.maximum(answered, np.finfo(float).tiny)
    # Of equal scores all are answered, or none.
    is_last = np.append(np.diff(confidence[order]) != 0, True)
    enough = np.flatnonzero((found >= precision) & is_last & (answered > 0))
    if len(enough) == 0:
        return None
    last = enough[-1]
    return UnknownBelow(
        float(confidence[order][last]), float(found[last]), float(answered[last] / answered[-1])
    )
