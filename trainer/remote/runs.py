"""Run folders at an address: made here and uploaded, or downloaded and continued."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from trainer.core.addresses import address_of, local_folder, recorded_address, write_record
from trainer.core.cache_folder import RUNS, platform_cache_folder
from trainer.core.errors import UserError
from trainer.core.locks import LockedError, locked
from trainer.core.run_folder import RunFolder, existing_run_folder, new_run_folder
from trainer.remote.downloads import download_changed
from trainer.remote.folder import RemoteError, RemoteFile, RemoteFolder
from trainer.remote.uploads import CHECKPOINTS, uploaded
from trainer.remote.whole_folders import (
    DamagedFolderError,
    download_folder,
    whole_folders,
)

logger = logging.getLogger(__name__)

_STARTED = ".started"
"""A file that is there first: the name of a run is then taken for others."""


@contextlib.contextmanager
def new_run(
    log_dir: Path, task_name: str, run_name: str | None, cache_folder: Path
) -> Iterator[RunFolder]:
    """A folder that no other run has; of a remote `log_dir` one here, which is uploaded.

    Args:
        log_dir: Where runs are, here or at an address.
        task_name: The folder of the task's runs there.
        run_name: The folder's name; the time, when None.
        cache_folder: Where what is remote is kept here.

    Raises:
        UserError: it cannot be made or uploaded, or there is a run of that name.
    """
    address = address_of(log_dir)
    if address is None:
        with new_run_folder(log_dir, task_name, run_name) as folder:
            yield folder
        return
    taken = RemoteFolder(address).folder_names(task_name)
    here = local_folder(cache_folder / RUNS, address)
    with (
        contextlib.ExitStack() as at_end,
        new_run_folder(here, task_name, run_name, taken) as folder,
    ):
        remote = RemoteFolder(f"{address}/{task_name}/{folder.path.name}")
        at_end.callback(_remove_if_gone, folder, remote)
        remote.write(_STARTED, socket.gethostname().encode())
        write_record(folder.path, remote.address, {})
        with uploaded(folder, remote):
            yield folder


@contextlib.contextmanager
def resumed_run(path: Path, cache_folder: Path) -> Iterator[RunFolder]:
    """The folder of a run to resume, in which no other process runs; uploaded where it is remote.

    Args:
        path: The folder.
        cache_folder: Where what is remote is kept here.

    Raises:
        UserError: another process runs in it, or nothing can be written there.
    """
    address = _kept_address(path, cache_folder)
    with existing_run_folder(path) as folder:
        if address is None:
            yield folder
            return
        with uploaded(folder, RemoteFolder(address)):
            yield folder


def shown_run(folder: Path) -> str:
    """What messages call a run: its address, or its folder."""
    return recorded_address(folder) or str(folder)


def local_run(run: Path | str, cache_folder: Path | None = None) -> Path:
    """The folder of a run here; of a remote one a copy that is brought up to date.

    Args:
        run: A folder or an address.
        cache_folder: Where what is remote is kept here; the platform's when None.

    Raises:
        UserError: there is no run at the address, or it cannot be downloaded.
    """
    cache_folder = cache_folder or platform_cache_folder()
    address = address_of(run) or _kept_address(Path(run), cache_folder)
    if address is None:
        return Path(run)
    remote = RemoteFolder(address)
    files = remote.files()
    if "config.json" not in files:
        raise UserError(
            f"{address}: there is no run (no config.json); choose an address LOG_DIR/<task>/<run>"
        )
    folder = _kept_folder(address, cache_folder)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(LockedError), locked(RunFolder(folder).lock):
        _bring_up_to_date(folder, remote, files)
    return folder


def remote_runs(log_dir: Path, task_name: str | None = None) -> dict[str, float | None]:
    """The addresses of the runs below a remote folder, and when each got its config.

    Args:
        log_dir: The address.
        task_name: The task whose runs count; all, when None.

    Raises:
        UserError: it cannot be listed.
    """
    address = address_of(log_dir)
    assert address is not None, log_dir
    pattern = re.compile(rf"({re.escape(task_name) if task_name else '[^/]+'}/[^/]+)/config\.json")
    files = RemoteFolder(address).files()
    found = ((pattern.fullmatch(name), file) for name, file in files.items())
    return {f"{address}/{form[1]}": file.modified for form, file in found if form}


def local_runs(path: Path) -> list[Path]:
    """The folders here of all runs at an address, which is that of a run or has runs below it.

    Raises:
        UserError: there is none, or one cannot be downloaded.
    """
    address = address_of(path)
    assert address is not None, path
    found = [
        name.removesuffix("config.json").rstrip("/")
        for name in RemoteFolder(address).files()
        if name == "config.json" or name.endswith("/config.json")
    ]
    return [local_run(f"{address}/{name}".rstrip("/")) for name in sorted(found)]


def _kept_address(folder: Path, cache_folder: Path) -> str | None:
    """The address that a folder is kept of; None of others.

    A record alone is not enough: in a run folder of somebody else's it may have any address, to
    which the run would be uploaded.
    """
    address = recorded_address(folder)
    if address is None or address_of(address) is None:
        return None
    places = {_kept_folder(address, place) for place in (cache_folder, platform_cache_folder())}
    return address if folder.absolute() in {place.absolute() for place in places} else None


def _kept_folder(address: str, cache_folder: Path) -> Path:
    """Where a run is kept: where `new_run` makes it, if its address is LOG_DIR/<task>/<run>."""
    log_dir, task, name = address.rsplit("/", 2)
    if address_of(log_dir) is None:
        return local_folder(cache_folder / RUNS, address)
    return local_folder(cache_folder / RUNS, log_dir) / task / name


def _bring_up_to_date(folder: Path, remote: RemoteFolder, files: Mapping[str, RemoteFile]) -> None:
    """Download what has changed, and the newest whole checkpoint; not if that here is newer."""
    checkpoints = [n for n in whole_folders(files) if n.startswith(CHECKPOINTS)]
    newest = max(map(_order, checkpoints), default=(0, 0))
    here = max(map(_order, _names(RunFolder(folder).checkpoints)), default=(0, 0))
    if here > newest:
        logger.info("%s: the checkpoint of step %d is not there yet", remote.address, here[0])
        return
    others = {name: file for name, file in files.items() if not name.startswith((CHECKPOINTS, "."))}
    download_changed(remote, others, folder)
    for name in sorted(checkpoints, key=_order, reverse=True):
        if _downloaded(remote, name, folder / name):
            return


def _downloaded(remote: RemoteFolder, name: str, folder: Path) -> bool:
    """Whether a checkpoint is here now; one that is damaged there is logged."""
    if folder.is_dir():
        return True
    try:
        download_folder(remote, name, folder)
    except DamagedFolderError as damage:
        logger.warning("%s; the checkpoint before it is used", damage)
        return False
    return True


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("step-*")] if folder.is_dir() else []


def _order(name: str) -> tuple[int, int]:
    form = re.search(r"step-(\d+)(?:-(\d+))?$", name)
    return (int(form[1]), int(form[2] or 1)) if form else (0, 0)


def _remove_if_gone(folder: RunFolder, remote: RemoteFolder) -> None:
    """Leave nothing there of a run that ended by a mistake before it had learned anything."""
    if not folder.path.exists():
        with contextlib.suppress(RemoteError):
            for name in remote.files():
                remote.remove(name)
