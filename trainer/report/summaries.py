"""TensorBoard's files: one writer a split, with the same tags, so that their curves overlay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data import SPLITS


class Summaries:
    """Event files in FOLDER/train, FOLDER/validation and FOLDER/test.

    All methods raise a UserError if they cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        """A split's file is made when it has its first value."""
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def write(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Put each value under its name as the tag, at the global step."""
        with self._as_user_errors(), self._writer(split).as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def flush(self) -> None:
        """Write everything to the disk, where TensorBoard sees it."""
        for split, writer in self._writers.items():
            with self._as_user_errors():
                writer.flush()
            if not (self._folder / split).is_dir():  # TensorFlow writes on to a file without a name
                raise UserError(f"{self._folder / split} has vanished; restore the folder")

    def _writer(self, split: str) -> tf.summary.SummaryWriter:
        assert split in SPLITS, split
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(str(self._folder / split))
        return self._writers[split]

    @contextlib.contextmanager
    def _as_user_errors(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            why = error.message.splitlines()[0].rpartition("; ")[2]
            raise UserError(
                f"TensorBoard's events cannot be written to {self._folder} ({why}); make room there"
            ) from error
