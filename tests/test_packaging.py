"""What is released: a numbered distribution, typed, with the changes that it is made of."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_release_of_the_changelog_is_the_version():
    [version] = re.findall(r'^version = "(.*)"$', PROJECT, re.MULTILINE)
    newest = re.search(r"^## (\d+\.\d+\.\d+) - \d{4}-\d{2}-\d{2}$", CHANGELOG, re.MULTILINE)
    assert newest[1] == version


@pytest.mark.parametrize("package", ["trainer", "tasks"])
def test_type_checkers_read_the_annotations_of_a_package(package):
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("command", ["ruff check", "ruff format", "mypy"])
def test_a_commit_and_the_gate_run_the_same_checks(command):
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.search(rf"entry: {command}\b", hooks)
    assert f".venv/bin/{command}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
