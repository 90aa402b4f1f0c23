"""The tests of this room share traced trainers."""

from collections.abc import Callable

import pytest

from trainer import Trainer


@pytest.fixture
def make_trainer(make_traced_trainer: Callable[..., Trainer]) -> Callable[..., Trainer]:
    return make_traced_trainer
