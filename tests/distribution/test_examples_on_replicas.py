"""Every example runs unchanged on two replicas, and comes to what it comes to on one device."""

import functools
import math
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted({path.stem for path in FOLDER.glob("*.py")} - {"__init__", "own_data"})

WITHIN_THE_BATCH = {"contrastive_step", "metric_learning", "mixup_step", "sharpness_aware_step"}
"""They compare or mix the examples of a batch, or climb by its gradient: a replica by its rows."""

UNCOMPILED = {"adversarial_networks": 0.01}
"""Where rounding grows from step to step, because two networks learn from each other."""


@pytest.fixture(scope="module")
def histories(printed_by, vector_module):
    """What every example records on so many replicas, 0 for no strategy."""
    script = "examples_on_replicas"
    return functools.cache(lambda replicas: printed_by(script, vector_module, replicas, *EXAMPLES))


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_comes_to_the_same_on_two_replicas(histories, name):
    alone, together = histories(0)[name], histories(2)[name]
    assert isinstance(together, list), together
    if name in WITHIN_THE_BATCH:
        assert [set(epoch) for epoch in together] == [set(epoch) for epoch in alone]
        assert all(math.isfinite(value) for epoch in together for value in epoch.values())
        return
    for expected, found in zip(alone, together, strict=True):
        assert found == pytest.approx(expected, rel=UNCOMPILED.get(name, 1e-3), abs=1e-3)
