"""Likely wrong labels: what a model says of examples that it has not learned from.

Classes and labels by confident learning (Northcutt and others, arXiv 1911.00068), numbers by how
far they are from what is predicted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator, Mapping

import numpy as np

from trainer.data.labels import columns
from trainer.reviewing.examples import Examples
from trainer.task import LabelKind

FOLDS = 5
MOST_DEVIATIONS = 5
"""A number that is off by more standard deviations, as the median error estimates them."""


@dataclasses.dataclass(frozen=True)
class LabelError:
    """A label that is likely wrong."""

    position: int
    label: str
    suggestion: str
    score: float
    """How sure: one less the probability of the label; of a number the standard deviations."""


def find_label_errors(examples: Examples, seed: int) -> list[LabelError]:
    """The likely wrong labels of every output, the surest first.

    Args:
        examples: With their labels.
        seed: Of the folds.
    """
    labels, names, kinds = columns(examples.labels), examples.names, examples.label_kind
    if isinstance(kinds, str):
        assert not isinstance(names, Mapping)
        found = list(_errors_of(kinds, examples.features, labels, names, seed))
    else:
        assert isinstance(names, Mapping)
        found = [
            dataclasses.replace(
                error, label=f"{name} {error.label}", suggestion=f"{name} {error.suggestion}"
            )
            for name, kind in kinds.items()
            for error in _errors_of(kind, examples.features, labels[name], names[name], seed)
        ]
    return sorted(found, key=lambda error: -error.score)


def _errors_of(
    kind: LabelKind, features: np.ndarray, labels: np.ndarray, names: tuple[str, ...], seed: int
) -> Iterator[LabelError]:
    if kind == "class":
        yield from _wrong_classes(features, labels, names, seed)
    for number, name in enumerate(names):
        if kind == "labels":
            has_label = (labels[:, number] > 0.5).astype(np.int32)
            yield from _wrong_classes(features, has_label, (f"not {name}", name), seed)
        if kind == "numbers":
            yield from _wrong_numbers(features, labels[:, number], name, seed)


def _wrong_classes(
    features: np.ndarray, labels: np.ndarray, names: tuple[str, ...], seed: int
) -> Iterator[LabelError]:
    from cleanlab.filter import find_label_issues

    present, compact = np.unique(labels, return_inverse=True)
    if np.bincount(compact).max() < 2 or len(present) < 2:
        return  # nothing to learn from
    probabilities = _out_of_fold_probabilities(features, compact, seed)
    with _without_warnings():
        wrong = find_label_issues(compact, probabilities, filter_by="both", n_jobs=1)
    for position in np.flatnonzero(wrong):
        predicted = probabilities[position].argmax()
        score = 1 - probabilities[position, compact[position]]
        label, suggestion = names[labels[position]], names[present[predicted]]
        yield LabelError(int(position), label, suggestion, float(score))


def _out_of_fold_probabilities(features: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Of each example by a logistic regression on the other folds, float [examples, classes]."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.preprocessing import normalize

    folds = min(FOLDS, max(2, int(np.bincount(labels).min())))
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    # Of unit vectors the usual C of 1 learns too little; more steps change no finding.
    model = LogisticRegression(C=10, max_iter=50)
    with _without_warnings():
        return cross_val_predict(
            model, normalize(features), labels, cv=split, method="predict_proba"
        )


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Of a class of few examples, or of steps that could go on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _wrong_numbers(
    features: np.ndarray, numbers: np.ndarray, name: str, seed: int
) -> Iterator[LabelError]:
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.preprocessing import normalize

    if len(numbers) < FOLDS:
        return
    split = KFold(FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(Ridge(), normalize(features), numbers, cv=split)
    errors = np.abs(numbers - predicted)
    # 1.4826 makes the median error of a normal distribution its standard deviation.
    deviations = errors / max(1.4826 * float(np.median(errors)), 1e-12)
    for position in np.flatnonzero(deviations > MOST_DEVIATIONS):
        label, suggestion = (f"{name} {value[position]:.4g}" for value in (numbers, predicted))
        yield LabelError(int(position), label, suggestion, float(deviations[position]))
