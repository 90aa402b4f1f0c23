"""TensorBoard: one writer a split, with the same tags, so that their curves overlay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from trainer.data import SPLITS


class Summaries:
    """Event files in FOLDER/train, FOLDER/validation and FOLDER/test."""

    def __init__(self, folder: Path) -> None:
        """A split's file is made when it has its first value."""
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def write(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Put each value under its name as the tag, at the global step."""
        with self._writer(split).as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def flush(self) -> None:
        """Let a TensorBoard that is watching see all that was written."""
        for writer in self._writers.values():
            writer.flush()

    def _writer(self, split: str) -> tf.summary.SummaryWriter:
        assert split in SPLITS, split
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(str(self._folder / split))
        return self._writers[split]
