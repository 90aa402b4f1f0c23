"""Which examples a model gets most wrong."""

from __future__ import annotations

import numpy as np

from trainer.evaluation.outputs import Output


def mistakes(output: Output) -> np.ndarray:
    """The positions of the examples that are wrong, the worst first.

    Of classes those of another than predicted, by the confidence in that one; of labels those with
    a label wrong, by how far its probability is off; of numbers all, by the largest error in units
    of the number's standard deviation.
    """
    if output.kind == "class":
        badness = np.where(output.predicted != output.labels, output.scores.max(axis=-1), 0)
    elif output.kind == "labels":
        off = np.abs(output.scores - output.labels)
        badness = np.where(off > 0.5, off, 0).max(axis=-1)
    else:
        deviation = output.labels.std(axis=0)
        errors = np.abs(output.scores - output.labels) / np.where(deviation > 0, deviation, 1)
        badness = errors.max(axis=-1)
    order = np.argsort(-badness, kind="stable")
    return order[badness[order] > 0]


def example_lines(output: Output, position: int) -> tuple[str, str]:
    """What an example is, and what is predicted: for people, a line each."""
    names, scores = output.names, output.scores[position]
    if output.kind == "class":
        predicted = int(scores.argmax())
        true = f"true: {names[output.labels[position]]}"
        return true, f"predicted: {names[predicted]} {scores[predicted]:.2f}"
    if output.kind == "labels":
        has, is_wrong = output.has_label[position], output.has_label[position] != (scores > 0.5)
        wrong = [f"{names[number]} {scores[number]:.2f}" for number in np.flatnonzero(is_wrong)]
        true = ", ".join(names[number] for number in np.flatnonzero(has)) or "none"
        return f"true: {true}", f"wrong: {', '.join(wrong) or 'none'}"
    labels = output.labels[position]
    worst = int(np.abs(scores - labels).argmax())
    name = f"{names[worst]} " if len(names) > 1 else ""
    return f"true: {name}{labels[worst]:.4g}", f"predicted: {name}{scores[worst]:.4g}"
