"""Data at an address: a folder of class folders or a table, downloaded once and kept here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from trainer.core.addresses import local_folder
from trainer.core.cache_folder import DOWNLOADS
from trainer.core.errors import UserError
from trainer.core.locks import locked
from trainer.data.readers.table_rows import SUFFIXES, read_rows
from trainer.remote.downloads import download_changed, remove_others
from trainer.remote.folder import RemoteFile, RemoteFolder

logger = logging.getLogger(__name__)


def downloaded_data(address: str, cache_folder: Path) -> Path:
    """The folder or the table of an address, here; what has changed there is downloaded again.

    All files of a folder are downloaded; of a table those that its column `path` lists.

    Args:
        address: Of the folder, or of the table.
        cache_folder: Where it is kept.

    Raises:
        UserError: there is nothing at the address, or it cannot be downloaded as a whole.
    """
    folder = local_folder(cache_folder / DOWNLOADS, address)
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent.with_suffix(".lock"), before_waiting=_log_waiting):
            if Path(address).suffix.lower() in SUFFIXES:
                return _table(address, folder)
            return _folder(address, folder)
    except OSError as error:
        raise UserError(
            f"--data {address} cannot be kept in {folder} ({error.strerror or error}); make room"
            " or choose another --cache-dir"
        ) from error


def _folder(address: str, folder: Path) -> Path:
    remote = RemoteFolder(address)
    listed = remote.files()
    files = {name: listed[name] for name in listed if not name.rpartition("/")[2].startswith(".")}
    if not files:
        raise UserError(f"--data {address}: there are no files; correct the address")
    if any(file.size is None for file in files.values()):  # a listing of HTTP: only names
        files = {name: remote.file(name) or file for name, file in files.items()}
    download_changed(remote, files, folder)
    remove_others(folder, files)
    return folder


def _table(address: str, folder: Path) -> Path:
    """A table beside which its images are; one that is not there is found missing by its reader."""
    around, _, name = address.rpartition("/")
    remote = RemoteFolder(around)
    table = remote.file(name)
    if table is None:
        raise UserError(f"--data {address}: there is no such table; correct the address")
    download_changed(remote, {name: table}, folder)
    paths = {cells.get("path", "") for _, cells in read_rows(folder / name).rows} - {""}
    for path in paths:
        if Path(path).is_absolute() or "://" in path or ".." in Path(path).parts:
            raise UserError(
                f"--data {address}: the path {path!r} does not lie beside the table; write paths"
                " relative to it"
            )
    images = _listed(remote, paths)
    download_changed(remote, images, folder)
    remove_others(folder, {name: table, **images})
    return folder / name


def _listed(remote: RemoteFolder, paths: set[str]) -> Mapping[str, RemoteFile]:
    """Those of the files that there are; by one listing, where the protocol has one."""
    by_name = {Path(path).as_posix(): path for path in sorted(paths)}
    listed = {n: file for n, file in remote.files().items() if file.size is not None}
    found = {name: listed.get(name) or remote.file(name) for name in by_name}
    return {name: file for name, file in found.items() if file is not None}


def _log_waiting() -> None:
    logger.info("another process downloads these data; waiting for it")
