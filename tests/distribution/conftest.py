"""Modules of these tests that run in a process of their own: one process has one strategy."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def printed_by(checkout: Path) -> Callable[..., Any]:
    """What a module of this folder prints as JSON in its last line."""

    def run(module: str, *arguments: object) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.distribution.{module}", *map(str, arguments)],
            cwd=checkout,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run
