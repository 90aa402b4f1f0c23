"""An address in the memory of this process, empty before each test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import fsspec
import pytest

from tests.remote.servers import s3_server
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


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[dict[str, str]]:
    """The environment in which s3:// leads to a server on 127.0.0.1."""
    with s3_server() as environment:
        yield environment


@pytest.fixture
def bucket(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new bucket, for this process and those that it starts."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{secrets.token_hex(8)}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"
