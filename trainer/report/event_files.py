"""The sizes of TensorBoard's files when a checkpoint was written.

A run that is resumed truncates them to these, and writes what follows again: so every point is
there exactly once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from trainer.data import SPLITS


def event_file_sizes(run: Path) -> dict[str, int]:
    """Bytes of each event file below a run's folder, by its path there."""
    return {str(path.relative_to(run)): path.stat().st_size for path in _event_files(run)}


def truncate_event_files(run: Path, sizes: Mapping[str, int]) -> None:
    """Remove what was written after `event_file_sizes` returned these.

    Raises:
        OSError: they cannot be written.
    """
    for path in _event_files(run):
        kept = sizes.get(str(path.relative_to(run)), 0)
        if kept == 0:
            path.unlink()
        elif kept < path.stat().st_size:
            os.truncate(path, kept)


def _event_files(run: Path) -> list[Path]:
    folders = (run, *(run / split for split in SPLITS))
    return sorted(path for folder in folders for path in folder.glob("events.out.tfevents.*"))
