"""Features of a key in a remote folder, for machines that share no disk."""

from __future__ import annotations

import logging
from pathlib import Path

from trainer.core.progress import progress_bar
from trainer.remote.folder import RemoteFolder
from trainer.remote.whole_folders import (
    MANIFEST,
    DamagedFolderError,
    download_folder,
    upload_folder,
)

logger = logging.getLogger(__name__)


class RemoteFeatures:
    """The folders of features at an address, each whole when its manifest is there."""

    def __init__(self, address: str) -> None:
        """Find the protocol's package; nothing is read yet.

        Raises:
            UserError: it is missing.
        """
        self._remote = RemoteFolder(address)

    def download(self, folder: Path) -> bool:
        """Whether the features of a key are there; they are then in the folder of its name.

        Raises:
            UserError: they cannot be read.
            OSError: they cannot be written here.
        """
        if self._remote.file(f"{folder.name}{MANIFEST}") is None:
            return False
        try:
            with progress_bar("downloading features", "folders"):
                download_folder(self._remote, folder.name, folder)
        except DamagedFolderError as damage:
            logger.warning("%s; the features are extracted again", damage)
            return False
        return True

    def upload(self, folder: Path) -> None:
        """Put the features of a key there, unless they are.

        Raises:
            UserError: they cannot be written.
        """
        if self._remote.file(f"{folder.name}{MANIFEST}") is None:
            upload_folder(self._remote, folder, folder.name)
