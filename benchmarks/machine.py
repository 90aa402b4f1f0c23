"""What a figure depends on besides the code: the day, the machine, the releases."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os

from trainer.machine.hardware import processor
from trainer.machine.packages import versions

OTHERS = ("tf-keras", "scikit-learn")
"""Packages that the scripts beside ours need, and ours does not."""


def environment() -> str:
    """All of it, on one line."""
    listed = ", ".join(f"{package} {release}" for package, release in _releases().items())
    today = datetime.date.today().isoformat()
    return f"{today}, {processor().name}, {os.cpu_count()} cores; {listed}"


def _releases() -> dict[str, str]:
    releases = versions()
    del releases["tf-trainer"]  # it is what is measured, and may be an unreleased change
    for package in OTHERS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            releases[package] = importlib.metadata.version(package)
    return releases
