"""Fixtures of the tests of data: the progress that is shown."""

import contextlib

import pytest

from trainer.core.progress import shown_by


@pytest.fixture
def progress():
    """What progress bars show during the test: their name, how much is done, and of how much."""
    shown = []

    @contextlib.contextmanager
    def bar(name, unit):
        yield lambda done, total, note=None: shown.append((name, done, total))

    with shown_by(bar):
        yield shown
