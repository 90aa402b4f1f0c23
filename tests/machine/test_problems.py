"""Each problem says what is wrong, and what to type."""

import dataclasses

import pytest

from trainer.machine import packages, problems
from trainer.machine.folders import inspect_folder
from trainer.machine.hardware import Memory
from trainer.machine.imports import Imports
from trainer.machine.packages import UnmetRequirement

NO_PKG_RESOURCES = "ModuleNotFoundError: No module named 'pkg_resources'"


@pytest.fixture
def unmet(monkeypatch):
    """Makes these the requirements that are not met."""

    def be(*requirements):
        monkeypatch.setattr(packages, "unmet_requirements", lambda: list(requirements))
        monkeypatch.setattr(packages, "is_installed", lambda: True)
        monkeypatch.setattr(packages, "other_package", lambda: None)

    return be


@pytest.fixture
def folder(tmp_path):
    return inspect_folder("runs", tmp_path, "--log-dir", needed=True)


def test_a_setuptools_without_pkg_resources_stops_runs(unmet):
    unmet(UnmetRequirement("setuptools<82", "setuptools", "84.0"))
    [problem] = problems.package_problems()
    assert "setuptools 84.0 is installed, and setuptools<82 needed (tensorflow_hub" in problem.what
    assert problem.remedy.endswith("-m pip install 'setuptools<82'")
    assert problem.stops_runs


def test_a_package_that_is_missing_stops_runs(unmet):
    unmet(UnmetRequirement("importlib-resources", "importlib-resources", None))
    [problem] = problems.package_problems()
    assert problem.what.startswith("importlib-resources is not installed (tensorflow_datasets")
    assert problem.stops_runs


def test_a_package_of_another_release_may_do(unmet):
    unmet(UnmetRequirement("rich>=14.1", "rich", "13.0"))
    [problem] = problems.package_problems()
    assert str(problem).startswith("rich 13.0 is installed, and rich>=14.1 needed; ")
    assert not problem.stops_runs


def test_an_import_that_lacks_a_module_is_told_its_package(unmet):
    unmet()
    [problem] = problems.import_problems(Imports({"tensorflow_hub": NO_PKG_RESOURCES}))
    assert problem.what == f"tensorflow_hub cannot be imported ({NO_PKG_RESOURCES})"
    assert problem.remedy.endswith("-m pip install 'setuptools<82'")


def test_an_import_that_a_missing_package_explains_is_told_once(unmet):
    unmet(UnmetRequirement("setuptools<82", "setuptools", "84.0"))
    assert not list(problems.import_problems(Imports({"tensorflow_hub": NO_PKG_RESOURCES})))


def test_what_fails_as_the_module_below_it_is_told_once(unmet):
    unmet()
    errors = {"tensorflow": "ImportError: broken", "keras": "ImportError: broken"}
    [problem] = problems.import_problems(Imports(errors))
    assert problem.what == "tensorflow cannot be imported (ImportError: broken)"
    assert "install --force-reinstall tensorflow==2." in problem.remedy


def test_a_processor_without_avx_cannot_be_mended_by_pip(unmet):
    unmet()
    [problem] = problems.import_problems(Imports({"tensorflow": "the import is ended by SIGILL"}))
    assert "AVX" in problem.remedy


def test_a_gpu_that_tensorflow_does_not_see_is_told():
    [problem] = problems.device_problems(Imports({}, ("CPU:0",)), has_nvidia_driver=True)
    assert "tensorflow[and-cuda]" in problem.remedy


@pytest.mark.parametrize(
    ("devices", "driver"), [(("CPU:0",), False), (("CPU:0", "GPU:0 (NVIDIA L4)"), True)]
)
def test_devices_that_are_as_they_must_be_are_no_problem(devices, driver):
    assert not list(problems.device_problems(Imports({}, devices), driver))


def test_little_memory_is_told_with_its_bound():
    [problem] = problems.memory_problems(Memory(total=8 * 10**9, free=10**9))
    assert problem.what == "1.0 GB of memory are free, less than 2.0 GB"
    assert not problem.stops_runs


@pytest.mark.parametrize("free", [3 * 10**9, None])
def test_enough_memory_or_an_unknown_amount_is_no_problem(free):
    assert not list(problems.memory_problems(Memory(None, free)))


def test_a_folder_that_cannot_be_written_stops_runs(folder):
    [problem] = problems.folder_problems(dataclasses.replace(folder, writable=False))
    assert problem.remedy == "choose another with --log-dir"
    assert problem.stops_runs


def test_a_folder_of_downloads_may_be_read_only(folder):
    read_only = dataclasses.replace(folder, writable=False, needed=False, free=10**12)
    assert not list(problems.folder_problems(read_only))


def test_little_room_is_told_with_its_bound(folder):
    [problem] = problems.folder_problems(dataclasses.replace(folder, free=2 * 10**8))
    assert "0.2 GB are free for runs, less than 1.0 GB" in problem.what
    assert not problem.stops_runs


def test_a_python_that_is_not_declared_stops_runs(monkeypatch):
    monkeypatch.setattr("platform.python_version", lambda: "3.9.1")
    monkeypatch.setattr(packages, "supported_python", lambda: packages.SpecifierSet(">=3.10"))
    [problem] = problems.python_problems()
    assert problem.what == "Python 3.9.1 is not supported, >=3.10 is"
