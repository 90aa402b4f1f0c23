"""An address in the memory of this process, empty before each test."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest

from trainer.remote.folder import RemoteFolder


@pytest.fixture
def address() -> Iterator[str]:
    """The address of an empty folder."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield "memory://bucket/things"
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.fixture
def remote(address: str) -> RemoteFolder:
    """The same, opened."""
    return RemoteFolder(address)
