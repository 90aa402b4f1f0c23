"""What `trainer doctor` shows of a machine, as tables for people."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence

from trainer.machine.folders import Folder
from trainer.machine.hardware import Memory, Processor
from trainer.machine.imports import Imports
from trainer.machine.packages import versions
from trainer.machine.problems import gigabytes
from trainer.report.display import Table

_ONEDNN = {True: "on", False: "off", None: "unknown"}


def machine_table(processor: Processor, memory: Memory) -> Table:
    """The system, the processor and the memory."""
    return _table(
        "machine",
        {
            "system": platform.platform(),
            "processor": processor.name,
            "cores": str(processor.cores),
            "vector instructions": _listed(processor.instructions),
            "memory": f"{_size(memory.total)}, {_size(memory.free)} free",
        },
    )


def package_table(imports: Imports) -> Table:
    """The releases of Python and of the packages, and what TensorFlow has and sees."""
    broken = {module.replace("_", "-") for module in imports.errors}
    releases = {
        package: f"{release}, cannot be imported" if package in broken else release
        for package, release in versions().items()
    }
    python = {"python": f"{releases['python']}, {sys.executable}"}
    onednn = {"oneDNN": _ONEDNN[imports.onednn], "devices": _listed(imports.devices)}
    return _table("package", {**releases, **python, **onednn})


def folder_table(folders: Sequence[Folder], megabytes: Mapping[str, float]) -> Table:
    """The folders, and what is free on their disks.

    Args:
        folders: What was found of them.
        megabytes: The sizes that are known, by the folder's name.
    """
    return Table("folder", {folder.name: _folder_row(folder, megabytes) for folder in folders})


def _folder_row(folder: Folder, megabytes: Mapping[str, float]) -> dict[str, str]:
    size = megabytes.get(folder.name)
    return {
        "path": str(folder.path),
        "MB": "" if size is None else f"{size:,.1f}",
        "state": _state(folder),
        "disk free": gigabytes(folder.free),
        "another with": folder.option,
    }


def _state(folder: Folder) -> str:
    if not folder.writable:
        return "not writable"
    return "writable" if folder.exists else "not there yet"


def _table(title: str, cells: Mapping[str, str]) -> Table:
    return Table(title, {name: {"found": cell} for name, cell in cells.items()})


def _listed(names: Sequence[str] | None) -> str:
    return "unknown" if names is None else ", ".join(names) or "none"


def _size(size: int | None) -> str:
    return "unknown" if size is None else gigabytes(size)
