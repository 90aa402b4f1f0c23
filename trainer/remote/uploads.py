"""A run folder that is uploaded as it grows, by a thread that training does not wait for.

Each pass uploads the files that have changed and then each new checkpoint, whose manifest comes
last: what a checkpoint says of the event files is true of those that are there before it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from trainer.core.run_folder import RunFolder
from trainer.remote.folder import RemoteError, RemoteFolder
from trainer.remote.whole_folders import (
    MANIFEST,
    remove_folder,
    upload_folder,
    whole_folders,
)

logger = logging.getLogger(__name__)

SECONDS = 2.0
"""Between two looks at the folder."""

CHECKPOINTS = "checkpoints/"


@contextlib.contextmanager
def uploaded(folder: RunFolder, remote: RemoteFolder) -> Iterator[None]:
    """While inside, what a run writes is uploaded; all of it at the end.

    A failure in between is logged, and tried again.

    Raises:
        RemoteError: the end of the run cannot be uploaded, and nothing else went wrong.
    """
    uploads = Uploads(folder, remote)
    thread = threading.Thread(target=uploads.run, name="uploads", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        try:
            uploads.finish(thread)
        except RemoteError as error:
            logger.warning(error)  # what ended the run is told behind it
        raise
    uploads.finish(thread)


class Uploads:
    """What a remote run folder has of one here."""

    def __init__(self, folder: RunFolder, remote: RemoteFolder) -> None:
        """Look at what is there, and remove what is not here: a checkpoint is made again.

        Raises:
            RemoteError: it cannot be listed or removed.
        """
        self._folder, self._remote = folder, remote
        self._there = {name for name in remote.files() if not name.startswith(".")}
        self._states = dict[str, tuple[int, int]]()
        self._finished = threading.Event()
        if folder.config.is_file():
            self._remove_others(self._files(), self._checkpoints())

    def run(self) -> None:
        """Upload what changes until the run is finished."""
        failed = False
        while not self._finished.wait(SECONDS):
            try:
                self.upload_changes()
                failed = False
            except (RemoteError, OSError) as error:
                if not failed:
                    logger.warning("%s; training goes on, and it is tried again", error)
                failed = True

    def finish(self, thread: threading.Thread) -> None:
        """Wait for the thread that runs, and upload what is left.

        Raises:
            RemoteError: it cannot be uploaded.
        """
        self._finished.set()
        thread.join()
        try:
            self.upload_changes()
        except (RemoteError, OSError) as error:
            where = self._folder.path
            raise RemoteError(
                f"{error}; the run is whole in {where}: copy it from there"
            ) from error

    def upload_changes(self) -> None:
        """Upload what has changed since the last time, and remove what is here no more.

        The last checkpoints stay there as long as there are none here.

        Raises:
            RemoteError: something cannot be written there.
        """
        if not self._folder.config.is_file():  # it has not begun, or somebody has removed it
            return
        # Listed before the events: those that a checkpoint counts are uploaded before it.
        checkpoints = self._checkpoints()
        files = self._files()
        for name, path in files.items():
            self._upload_if_changed(name, path)
        for name, path in checkpoints.items():
            if f"{name}{MANIFEST}" not in self._there:
                self._upload_checkpoint(name, path)
        self._remove_others(files, checkpoints)

    def _checkpoints(self) -> dict[str, Path]:
        folder = self._folder.checkpoints
        paths = sorted(folder.glob("step-*")) if folder.is_dir() else []
        return {f"{CHECKPOINTS}{path.name}": path for path in paths}

    def _files(self) -> dict[str, Path]:
        """Everything else but what has a hidden name: the lock, what is being written."""
        run = self._folder.path
        names = ((path.relative_to(run), path) for path in sorted(run.rglob("*")))
        return {
            name.as_posix(): path
            for name, path in names
            if name.parts[0] != "checkpoints"
            and not any(part.startswith(".") for part in name.parts)
            and path.is_file()
        }

    def _upload_if_changed(self, name: str, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
            stat = path.stat()
            state = stat.st_size, stat.st_mtime_ns
            if self._states.get(name) == state:
                return
            self._upload(name, path)
            self._states[name] = state

    def _upload(self, name: str, path: Path) -> None:
        try:
            self._remote.upload(path, name)
        except RemoteError:
            if path.exists():
                raise
            raise FileNotFoundError(path) from None
        self._there.add(name)

    def _upload_checkpoint(self, name: str, path: Path) -> None:
        try:
            self._there |= {f"{name}/{file.name}" for file in path.iterdir()}
            upload_folder(self._remote, path, name)
        except (RemoteError, FileNotFoundError):
            if path.is_dir():
                raise
            return  # it was the oldest, and is removed
        self._there.add(f"{name}{MANIFEST}")

    def _remove_others(self, files: dict[str, Path], checkpoints: dict[str, Path]) -> None:
        for name in whole_folders(self._there):
            if checkpoints and name not in checkpoints:
                remove_folder(self._remote, name, self._there)
                self._forget(name)
        for name in self._there - {*files}:
            kept = checkpoints or whole_folders(self._there)
            if not any(name.startswith((f"{c}/", f"{c}{MANIFEST}")) for c in kept):
                self._remote.remove(name)
                self._there.discard(name)

    def _forget(self, name: str) -> None:
        inside = (f"{name}/", f"{name}{MANIFEST}")
        self._there = {other for other in self._there if not other.startswith(inside)}
