"""`python -m trainer.doctor`: this machine and installation, what is wrong, and what to type."""

from __future__ import annotations

import dataclasses
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer import command_line
from trainer.config.config import Config
from trainer.core.addresses import address_of
from trainer.core.cache_folder import entries
from trainer.core.errors import UserError
from trainer.machine import problems
from trainer.machine.folders import Folder, inspect_folder
from trainer.machine.hardware import Memory, has_nvidia_driver, memory, processor
from trainer.machine.imports import Imports, inspect_imports
from trainer.machine.packages import versions
from trainer.machine.problems import Problem
from trainer.machine.tables import folder_table, machine_table, package_table

logger = logging.getLogger("trainer.doctor")  # not __name__, which is __main__ as a command

FEATURE_CACHE = "cached features"


@dataclasses.dataclass(frozen=True)
class DoctorOptions:
    """Check Python, TensorFlow, devices, memory, folders and disks: what is wrong, what to type."""

    log_dir: Path = Config.log_dir
    """The folder of run folders."""

    data_dir: Path | None = None
    """The folder of TFDS datasets; the default of TFDS when not given."""

    cache_dir: Path | None = None
    """Where features are cached; the platform's user cache when not given."""


OPTIONS = DoctorOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """Show what there is, then what is wrong with it.

    Raises:
        UserError: an option that does not exist, or something is wrong that would stop a run.
    """
    options, output = command_line.parse_options("doctor", OPTIONS, arguments)
    config = Config(**dataclasses.asdict(options))
    machine, room, folders = processor(), memory(), _folders(config)
    with output.shown():
        logger.info(machine_table(machine, room))
        logger.info(folder_table(folders, {FEATURE_CACHE: _cached_megabytes(config)}))
        imports = inspect_imports()  # takes seconds
        logger.info(package_table(imports))
        found = list(_problems(room, folders, imports))
        _log(found)
    output.print_json(
        {
            "system": platform.platform(),
            "processor": dataclasses.asdict(machine),
            "memory": dataclasses.asdict(room),
            "folders": [{**dataclasses.asdict(f), "path": str(f.path)} for f in folders],
            "versions": versions(),
            "imports": dataclasses.asdict(imports),
            "problems": [dataclasses.asdict(problem) for problem in found],
        }
    )
    _require_none_that_stops_runs(found)


def _folders(config: Config) -> list[Folder]:
    """Those that every run writes to, and those of downloads, which runs are made to read."""
    hub = Path(os.environ.get("TFHUB_CACHE_DIR", Path(tempfile.gettempdir()) / "tfhub_modules"))
    keras = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    return [
        inspect_folder("runs", _log_folder(config), "--log-dir", needed=True),
        inspect_folder(FEATURE_CACHE, config.cache_folder, "--cache-dir", needed=True),
        inspect_folder("TFDS datasets", config.tfds_folder, "--data-dir", needed=False),
        inspect_folder("hub modules", hub, "TFHUB_CACHE_DIR", needed=False),
        inspect_folder("Keras weights", keras, "KERAS_HOME", needed=False),
    ]


def _log_folder(config: Config) -> Path:
    """Where runs are written here; of a remote folder below the cache."""
    return config.log_dir if address_of(config.log_dir) is None else config.cache_folder


def _cached_megabytes(config: Config) -> float:
    return sum(entry.megabytes for entry in entries(config.cache_folder))


def _problems(room: Memory, folders: Sequence[Folder], imports: Imports) -> Iterator[Problem]:
    yield from problems.python_problems()
    yield from problems.package_problems()
    yield from problems.import_problems(imports)
    yield from problems.device_problems(imports, has_nvidia_driver())
    yield from problems.memory_problems(room)
    for folder in folders:
        yield from problems.folder_problems(folder)


def _log(found: Sequence[Problem]) -> None:
    for problem in found:
        logger.log(logging.ERROR if problem.stops_runs else logging.WARNING, "%s", problem)
    if not found:
        logger.info("nothing is wrong; type: python -m trainer.run --task flowers")


def _require_none_that_stops_runs(found: Sequence[Problem]) -> None:
    stopping = sum(problem.stops_runs for problem in found)
    if stopping:
        raise UserError(f"{stopping} of these would stop a run; fix each as its line says")


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
