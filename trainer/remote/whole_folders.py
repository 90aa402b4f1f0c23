"""Folders in a store that has no rename: one is whole when its manifest is there.

step-120/variables.index, step-120/training.json …   its files
step-120.manifest.json                               their sizes and SHA-256, written last
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from trainer.core import atomic
from trainer.core.hashing import file_sha256
from trainer.remote.folder import RemoteError, RemoteFolder

MANIFEST = ".manifest.json"


class DamagedFolderError(Exception):
    """A remote folder's files are not what its manifest lists."""


def whole_folders(files: Iterable[str]) -> list[str]:
    """The names of the folders that have a manifest, among the files of a remote folder."""
    return [name.removesuffix(MANIFEST) for name in files if name.endswith(MANIFEST)]


def upload_folder(remote: RemoteFolder, folder: Path, name: str) -> None:
    """Upload a folder whose files do not change any more; its manifest last.

    Raises:
        RemoteError: it cannot be written there.
        OSError: it cannot be read here.
    """
    manifest = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = path.relative_to(folder).as_posix()
        manifest[inside] = {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        remote.upload(path, f"{name}/{inside}")
    content = json.dumps({"files": manifest}, indent=1) + "\n"
    remote.write(f"{name}{MANIFEST}", content.encode())


def download_folder(remote: RemoteFolder, name: str, folder: Path) -> None:
    """Download a whole folder to a path that is free, whole or not at all.

    Raises:
        DamagedFolderError: a file is missing or is not what the manifest lists.
        RemoteError: it cannot be read.
        OSError: it cannot be written here.
    """
    where = f"{remote.address}/{name}"
    manifest = _manifest(remote, name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.new_folder(folder) as beside:
        for inside, (size, checksum) in manifest.items():
            path = beside / inside
            try:
                remote.download(f"{name}/{inside}", path)
            except RemoteError as error:
                if remote.file(f"{name}/{inside}") is not None:
                    raise
                raise DamagedFolderError(f"{where}/{inside} is missing") from error
            if path.stat().st_size != size or file_sha256(path) != checksum:
                raise DamagedFolderError(f"{where}/{inside} is damaged (wrong checksum)")


def remove_folder(remote: RemoteFolder, name: str, files: Iterable[str]) -> None:
    """Remove a folder: its manifest first, so that no half of it counts."""
    remote.remove(f"{name}{MANIFEST}")
    for inside in files:
        if inside.startswith(f"{name}/"):
            remote.remove(inside)


def _manifest(remote: RemoteFolder, name: str) -> dict[str, tuple[int, str]]:
    """The size and SHA-256 of each file, all of whose names stay within the folder."""
    try:
        files = json.loads(remote.read(f"{name}{MANIFEST}"))["files"]
        listed = {str(n): (int(f["bytes"]), str(f["sha256"])) for n, f in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFolderError(f"{remote.address}/{name}{MANIFEST} is damaged") from error
    for inside in listed:
        if Path(inside).is_absolute() or ".." in Path(inside).parts:
            raise DamagedFolderError(f"{remote.address}/{name}{MANIFEST} lists {inside!r}")
    return listed
