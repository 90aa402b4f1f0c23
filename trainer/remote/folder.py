"""A folder of an object store or a server, by fsspec, which is imported when one is named.

Every protocol of fsspec will do (s3, gs, az, sftp, http …); each has a package of its own, which
fsspec names where it is missing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import email.utils
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer.core.errors import UserError
from trainer.core.text import first_line

_VERSIONS = (
    *("ETag", "etag", "md5Hash", "Content-MD5", "content_md5", "checksum"),
    *("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created"),
)
"""What the protocols call what differs where a file differs, the most exact first."""

_TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")


class RemoteError(UserError):
    """A remote folder cannot be read or written."""


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """What is known of a file without reading it."""

    size: int | None
    """Bytes; None where the server does not say."""

    version: str
    """Differs where the content differs."""

    modified: float | None
    """When it was written, in seconds since 1970; None where the server does not say."""


class RemoteFolder:
    """A folder at an address; all methods raise a `RemoteError` that names it."""

    def __init__(self, address: str) -> None:
        """Find the protocol's package; nothing is read yet.

        Raises:
            UserError: a package is missing, or there is no such protocol.
        """
        self.address = address.rstrip("/")
        self._fs, self._root = _filesystem(self.address)

    def files(self) -> dict[str, RemoteFile]:
        """Every file below the folder by its name there, `rose/1.jpg`; none if it is not there."""
        with self._errors("listed"):
            self._fs.invalidate_cache()
            found = self._fs.find(self._root, detail=True)
            return {
                name: _remote_file(info)
                for path, info in found.items()
                if (name := self._name(path)) and info.get("type") != "directory"
            }

    def file(self, name: str) -> RemoteFile | None:
        """One file; None if there is none of that name."""
        with self._errors("read", name):
            try:
                return _remote_file(self._fs.info(self._path(name)))
            except FileNotFoundError:
                return None

    def folder_names(self, name: str) -> list[str]:
        """The names of what is in a folder below this one."""
        with self._errors("listed", name):
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._path(name), detail=False)
            except FileNotFoundError:
                return []
            return [path.rstrip("/").rpartition("/")[2] for path in found]

    def read(self, name: str) -> bytes:
        """The content of a file."""
        with self._errors("read", name):
            return self._fs.cat_file(self._path(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole."""
        with self._errors("written", name):
            self._make_parent(name)
            self._fs.pipe_file(self._path(name), content)

    def download(self, name: str, path: Path, expected: RemoteFile | None = None) -> None:
        """Write a file here, whole or not at all, with the time at which it was written there."""
        beside = path.with_name(f".{path.name[:100]}-{secrets.token_hex(8)}")
        with self._errors("read", name):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._fs.get_file(self._path(name), str(beside))
                _check_size(beside, expected)
                if expected is not None and expected.modified is not None:
                    os.utime(beside, (expected.modified, expected.modified))
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)

    def upload(self, path: Path, name: str) -> None:
        """Write a file of this machine there."""
        with self._errors("written", name):
            self._make_parent(name)
            self._fs.put_file(str(path), self._path(name))

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with self._errors("removed", name), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _name(self, path: str) -> str:
        """A path of fsspec's as a name in this folder, which leads nowhere else."""
        inside = path[len(self._root) :].strip("/") if path.startswith(self._root) else ""
        if {"..", ".", ""} & {*inside.split("/")} and inside:
            raise RemoteError(f"{self.address}: {path} is no name that a file can have; rename it")
        return inside

    def _make_parent(self, name: str) -> None:
        """Object stores have no folders; others need them."""
        if not getattr(self._fs, "async_impl", False):
            self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    @contextlib.contextmanager
    def _errors(self, done: str, name: str = "") -> Iterator[None]:
        where = f"{self.address}/{name}" if name else self.address
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # each protocol's package has its own
            reason = first_line(error) or type(error).__name__
            raise RemoteError(
                f"{where} cannot be {done} ({reason}); check the address, the credentials and the"
                " network"
            ) from error


def _filesystem(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UserError(
            f"{address} needs fsspec; pip install 'tf-trainer[remote]' brings it"
        ) from error
    try:
        files, root = url_to_fs(address)
    except ImportError as error:
        raise UserError(f"{address} needs another package: {first_line(error)}") from error
    except Exception as error:  # no such protocol, or what its package says of the address
        raise UserError(f"{address} cannot be opened ({first_line(error)}); correct it") from error
    return files, root.rstrip("/")


def _remote_file(info: Mapping[str, Any]) -> RemoteFile:
    version = next((str(info[key]) for key in _VERSIONS if info.get(key)), "")
    modified = next((info[key] for key in _TIMES if info.get(key)), None)
    return RemoteFile(info.get("size"), f"{info.get('size')} {version}", _seconds(modified))


def _seconds(time: Any) -> float | None:
    if isinstance(time, str):
        with contextlib.suppress(ValueError):
            return email.utils.parsedate_to_datetime(time).timestamp()
        with contextlib.suppress(ValueError):
            return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
        return None
    return time.timestamp() if isinstance(time, datetime.datetime) else time


def _check_size(path: Path, expected: RemoteFile | None) -> None:
    if expected is None or expected.size is None or path.stat().st_size == expected.size:
        return
    raise OSError(f"{path.stat().st_size} bytes in place of {expected.size}")
