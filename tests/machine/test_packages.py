"""What is installed, and whether it is what a distribution declares."""

import importlib
import sys

import pytest

from trainer.machine import packages
from trainer.machine.packages import (
    other_package,
    supported_python,
    unmet_requirements,
    versions,
)

OURS = """Metadata-Version: 2.1
Name: a-trainer
Version: 1.0
Requires-Python: >=3.10,<3.14
Requires-Dist: is-there>=1,<2
Requires-Dist: too-new<2
Requires-Dist: not-there>=3
Requires-Dist: for-no-python; python_version < "3"
Requires-Dist: for-an-extra; extra == "test"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Gives Python the metadata of a distribution, as pip writes it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, release, metadata=None):
        folder = tmp_path / f"{name.replace('-', '_')}-{release}.dist-info"
        folder.mkdir()
        plain = f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"
        (folder / "METADATA").write_text(metadata or plain)
        importlib.invalidate_caches()

    return write


@pytest.fixture
def ours(install):
    install("a-trainer", "1.0", OURS)
    install("is-there", "1.5")
    install("too-new", "2.0")


def test_versions_name_what_results_depend_on():
    assert {"python", "tensorflow", "keras"} <= set(versions())


def test_a_package_that_is_missing_or_too_new_is_unmet(ours):
    unmet = {one.requirement: one.installed for one in unmet_requirements("a-trainer")}
    assert unmet == {"too-new<2": "2.0", "not-there>=3": None}


def test_what_is_not_installed_declares_nothing():
    assert unmet_requirements("no-such-distribution") == []
    assert "3.1" in supported_python("no-such-distribution")


@pytest.mark.parametrize(("release", "supported"), [("3.9.1", False), ("3.13.2", True)])
def test_the_releases_of_python_are_those_that_are_declared(ours, release, supported):
    assert (release in supported_python("a-trainer")) == supported


def test_another_package_of_our_name_that_goes_before_us_is_found(tmp_path, monkeypatch):
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").write_text("raise RuntimeError('the other one')")
    monkeypatch.syspath_prepend(tmp_path)
    assert str(tmp_path / "trainer") in other_package()


def test_another_distribution_whose_files_have_our_names_is_found(install, monkeypatch, checkout):
    monkeypatch.setattr(sys, "path", [str(checkout), sys.path[0]])  # ours before all others
    install("trainer", "0.0.36")
    monkeypatch.chdir("/")
    assert other_package().startswith("trainer 0.0.36 is installed too")


def test_our_own_package_is_no_other(monkeypatch, checkout):
    monkeypatch.setattr(sys, "path", [str(checkout)])
    monkeypatch.chdir("/")
    monkeypatch.setattr(packages, "OTHER", "no-such-distribution")
    assert other_package() is None
