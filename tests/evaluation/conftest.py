"""Outputs of a model whose scores are made up."""

from collections.abc import Callable

import numpy as np
import pytest

from trainer.evaluation.outputs import Output

EXAMPLES = 300


@pytest.fixture(scope="session")
def make_output() -> Callable[..., Output]:
    """An output of a kind, whose logits go with the labels, but not always; weights differ."""

    def make(kind: str = "class", names: str = "abcd", scale: float = 1.5) -> Output:
        random = np.random.default_rng(7)
        size = len(names)
        labels = random.integers(0, size, EXAMPLES).astype(np.int32)
        hot = np.eye(size)[labels]
        if kind != "class":
            hot = (random.random([EXAMPLES, size]) < 0.3).astype(float)
            labels = hot.astype(np.float32)
        logits = (scale * (random.normal(size=hot.shape) + 2 * hot - 1)).astype(np.float32)
        scores = {
            "class": lambda: np.exp(logits) / np.exp(logits).sum(-1, keepdims=True),
            "labels": lambda: 1 / (1 + np.exp(-logits)),
            "numbers": lambda: logits,
        }[kind]()
        weights = random.choice([0.0, 0.5, 1.0, 2.0], EXAMPLES).astype(np.float32)
        return Output(kind, tuple(names), labels, logits, scores, weights)

    return make
