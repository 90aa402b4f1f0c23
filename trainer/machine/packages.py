"""The releases of the packages that are installed, and whether they are those that we declare."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

DISTRIBUTION = "tf-trainer"
"""The name under which pip has this package."""

OTHER = "trainer"
"""A distribution with the same name of import: PyPI has one, for PyTorch."""

PACKAGES = (
    DISTRIBUTION,
    "tensorflow",
    "keras",
    "tensorflow-hub",
    "tensorflow-datasets",
    "numpy",
)
"""Those that a result depends on."""


@dataclasses.dataclass(frozen=True)
class UnmetRequirement:
    """A package that is missing, or of a release that we do not declare."""

    requirement: str
    """As pip takes it: "setuptools<82"."""

    name: str
    installed: str | None
    """Its release; None where it is missing."""


def versions() -> dict[str, str]:
    """The releases of Python and of the packages that the result depends on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def is_installed() -> bool:
    """Whether pip has installed this package; a clone runs without it."""
    return installed_release(DISTRIBUTION) is not None


def installed_release(package: str) -> str | None:
    """The release of a package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def supported_python(distribution: str = DISTRIBUTION) -> SpecifierSet:
    """The releases of Python that a distribution declares; any where it is not installed."""
    try:
        declared = importlib.metadata.metadata(distribution)["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        declared = None
    return SpecifierSet(declared or "")


def unmet_requirements(distribution: str = DISTRIBUTION) -> list[UnmetRequirement]:
    """What a distribution declares, without its extras, and what is not installed like that."""
    try:
        declared = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return list(_unmet(map(Requirement, declared)))


def other_package() -> str | None:
    """What is installed under our name of import, PyPI's trainer say; None if nothing is."""
    found = _package_outside_of_this_folder()
    if found:
        return f"outside of this folder `import trainer` finds another package, {found}"
    other = installed_release(OTHER)
    return other and f"{OTHER} {other} is installed too, and has files of the names of ours"


def _package_outside_of_this_folder() -> Path | None:
    """The package called trainer that Python finds there; None if there is none, or this one."""
    here = {"", str(Path.cwd())}  # which `python -m` looks into first
    spec = PathFinder.find_spec("trainer", [path for path in sys.path if path not in here])
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).resolve().parent
    return None if found == Path(__file__).resolve().parents[1] else found


def _unmet(requirements: Iterator[Requirement]) -> Iterator[UnmetRequirement]:
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = installed_release(requirement.name)
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            wanted = f"{requirement.name}{requirement.specifier}"
            yield UnmetRequirement(wanted, requirement.name, installed)


def _version(package: str) -> str:
    return installed_release(package) or "unknown"  # run from a clone, not installed
