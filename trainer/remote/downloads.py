"""Files of a remote folder, kept here and downloaded again where they have changed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from trainer.core.addresses import recorded_address, recorded_versions, write_record
from trainer.core.progress import progress_bar
from trainer.remote.folder import RemoteFile, RemoteFolder

_AT_ONCE = 16
"""Downloads at the same time: each waits for the network most of its time."""


def download_changed(remote: RemoteFolder, files: Mapping[str, RemoteFile], folder: Path) -> None:
    """Bring files up to date in a local folder, which records the version of each.

    What is downloaded is recorded even if another fails, and not downloaded again.

    Args:
        remote: Where they are.
        files: What they are now, by name.
        folder: Where they are kept.

    Raises:
        RemoteError: one cannot be downloaded.
        OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    versions = recorded_versions(folder)
    to_download = [
        name
        for name, file in files.items()
        if versions.get(name) != file.version or not (folder / name).is_file()
    ]
    try:
        _download_all(remote, {name: files[name] for name in to_download}, folder, versions)
    finally:
        write_record(folder, remote.address, versions)


def remove_others(folder: Path, names: Mapping[str, object]) -> None:
    """Remove the files that were downloaded once and are there no more."""
    versions, address = recorded_versions(folder), recorded_address(folder)
    gone = [name for name in versions if name not in names]
    for name in gone:
        with contextlib.suppress(OSError):
            (folder / name).unlink()
        del versions[name]
    if gone and address is not None:
        write_record(folder, address, versions)


def _download_all(
    remote: RemoteFolder, files: Mapping[str, RemoteFile], folder: Path, versions: dict[str, str]
) -> None:
    if not files:
        return
    with (
        progress_bar(f"downloading {folder.name}", "files") as report,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        under_way = {
            pool.submit(remote.download, name, folder / name, file): name
            for name, file in files.items()
        }
        try:
            for done, future in enumerate(as_completed(under_way), start=1):
                future.result()
                name = under_way[future]
                versions[name] = files[name].version
                report(done, len(files))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
