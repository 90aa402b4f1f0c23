"""What is wrong with a machine or an installation: each a line that says what to type."""

from __future__ import annotations

import dataclasses
import platform
import re
import shlex
import sys
from collections.abc import Iterator

from trainer.machine import packages
from trainer.machine.folders import Folder
from trainer.machine.hardware import Memory
from trainer.machine.imports import Imports
from trainer.machine.packages import UnmetRequirement

LITTLE_MEMORY = 2e9
"""Bytes: a run of flowers takes 1.7 GB."""

LITTLE_DISK = 1e9
"""Bytes: TensorFlow's events, three checkpoints and the features of some thousand images."""

PIP = f"{shlex.quote(sys.executable)} -m pip"
"""The pip of this Python: another may be first in the PATH."""

_REASONS = {
    "setuptools": "tensorflow_hub imports pkg_resources, which setuptools 82 removed",
    "importlib-resources": "tensorflow_datasets imports it on Python 3.11 and older",
}
"""Why a package is declared that no module of ours imports; a run stops without it."""

_PACKAGES = {"pkg_resources": "setuptools"}
"""By the name of a module, where the package has another."""

_BOUNDED = {"setuptools": "setuptools<82"}
"""What to install of a package whose newest release does not do."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    what: str
    remedy: str
    """What to type."""

    stops_runs: bool = True

    def __str__(self) -> str:
        """Both on one line."""
        return f"{self.what}; {self.remedy}"


def python_problems() -> Iterator[Problem]:
    """Of a release of Python that we do not declare."""
    supported = packages.supported_python()
    if not supported.contains(platform.python_version(), prereleases=True):
        yield Problem(
            f"Python {platform.python_version()} is not supported, {supported} is",
            "make an environment with another: python3.12 -m venv .venv",
        )


def package_problems() -> Iterator[Problem]:
    """Of packages that are missing, of other releases, or in our place."""
    other = packages.other_package()
    if other:
        yield Problem(
            other,
            f"{PIP} uninstall {packages.OTHER}, then install this one again",
            stops_runs=False,
        )
    if not packages.is_installed():
        yield Problem(
            f"{packages.DISTRIBUTION} is not installed, so pip has not checked what it needs",
            f"{PIP} install -e . in the clone",
            stops_runs=False,
        )
    yield from map(_requirement_problem, packages.unmet_requirements())


def import_problems(imports: Imports) -> Iterator[Problem]:
    """Of modules that cannot be imported, where no package that is missing explains it.

    Those that stand on a module fail like it: an error that comes again is left out.
    """
    explained = {unmet.name for unmet in packages.unmet_requirements()}
    for module, error in imports.errors.items():
        missing = _missing_package(error)
        if missing not in explained:
            explained.add(missing)
            yield Problem(f"{module} cannot be imported ({error})", _import_remedy(module, error))


def device_problems(imports: Imports, has_nvidia_driver: bool) -> Iterator[Problem]:
    """Of a GPU that TensorFlow does not see."""
    sees_gpu = any(device.startswith("GPU") for device in imports.devices)
    if has_nvidia_driver and imports.devices and not sees_gpu:
        yield Problem(
            "there is a driver of NVIDIA, and TensorFlow sees no GPU",
            f"{PIP} install 'tensorflow[and-cuda]'",
            stops_runs=False,
        )


def memory_problems(memory: Memory) -> Iterator[Problem]:
    """Of too little memory for a run."""
    if memory.free is not None and memory.free < LITTLE_MEMORY:
        yield Problem(
            f"{gigabytes(memory.free)} of memory are free, less than {gigabytes(LITTLE_MEMORY)}",
            "end other programs, or lower --batch-size and --feature-memory",
            stops_runs=False,
        )


def folder_problems(folder: Folder) -> Iterator[Problem]:
    """Of a folder that a run cannot write to, or that has little room."""
    if folder.needed and not folder.writable:
        yield Problem(
            f"{folder.path}: the folder of {folder.name} cannot be written",
            f"choose another with {folder.option}",
        )
    elif folder.free < LITTLE_DISK:
        yield Problem(
            f"{folder.path}: {gigabytes(folder.free)} are free for {folder.name}, less than"
            f" {gigabytes(LITTLE_DISK)}",
            f"make room, or choose another folder with {folder.option}",
            stops_runs=False,
        )


def gigabytes(size: float) -> str:
    """A number of bytes for people, in units of 1,000,000,000."""
    return f"{size / 1e9:,.1f} GB"


def _requirement_problem(unmet: UnmetRequirement) -> Problem:
    reason = _REASONS.get(unmet.name.replace("_", "-"))
    what = (
        f"{unmet.name} is not installed"
        if unmet.installed is None
        else f"{unmet.name} {unmet.installed} is installed, and {unmet.requirement} needed"
    )
    return Problem(
        f"{what} ({reason})" if reason else what,
        f"{PIP} install '{unmet.requirement}'",
        stops_runs=unmet.installed is None or reason is not None,
    )


def _missing_package(error: str) -> str:
    """The package whose module an import lacks; the error itself where it lacks none."""
    lacks = re.search(r"No module named '(\w+)", error)
    return _PACKAGES.get(lacks[1], lacks[1].replace("_", "-")) if lacks else error


def _import_remedy(module: str, error: str) -> str:
    if "SIGILL" in error:
        return "choose a machine whose processor has AVX, which TensorFlow needs"
    missing = _missing_package(error)
    if missing != error:
        return f"{PIP} install '{_BOUNDED.get(missing, missing)}'"
    package = module.replace("_", "-")
    return f"{PIP} install --force-reinstall {package}=={packages.installed_release(package)}"
