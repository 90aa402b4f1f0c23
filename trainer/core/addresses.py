"""Addresses of remote folders, s3://BUCKET/logs for example, and what is kept of them here.

A `Path` makes one slash of two, and nothing else is called s3:/BUCKET/logs: an address is
recognized in either form.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.core.hashing import sha256

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)")

_RECORD = ".remote.json"
"""In a local folder: where it is of, and the version of each of its files."""


def address_of(path: str | Path) -> str | None:
    """The address that a text or a path is; None of a local one.

    Raises:
        UserError: it is one of this machine, or leads out of its folder.
    """
    form = _ADDRESS.fullmatch(str(path))
    if form is None:
        return None
    if form[1] in ("file", "local"):
        raise UserError(f"{path} is a folder of this machine; write /{form[2].lstrip('/')}")
    if ".." in form[2].split("/"):
        raise UserError(f"{path} has a .. in it; write the address without it")
    return f"{form[1]}://{form[2].rstrip('/')}"


def local_folder(parent: Path, address: str | Path) -> Path:
    """Where the folder of an address is kept below a local one; it has the same name."""
    full = address_of(address)
    assert full is not None, address
    return parent / sha256(full.encode())[:16] / full.rpartition("/")[2]


def recorded_address(folder: Path) -> str | None:
    """The address that a local folder is of; None where it is of none."""
    return None if (record := _record(folder)) is None else record["address"]


def recorded_versions(folder: Path) -> dict[str, str]:
    """The version of each file of a local folder that was downloaded."""
    return {} if (record := _record(folder)) is None else record["files"]


def write_record(folder: Path, address: str, files: dict[str, str]) -> None:
    """Record what a local folder is of, and the version of each of its files.

    Raises:
        OSError: it cannot be written.
    """
    content = {"address": address, "files": files}
    atomic.write_text(folder / _RECORD, json.dumps(content, indent=1) + "\n")


def _record(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / _RECORD).read_bytes())
        return {"address": str(record["address"]), "files": dict(record["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
