"""TensorBoard's files: one writer a split, with the same tags, so that their curves overlay.

The run's folder has a writer of its own, for what is of no split: its options, its page of text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.evaluation.curves import ThresholdCounts

RUN = ""
"""In place of a split: the run's folder itself."""

PR_CURVE_THRESHOLDS = 127
"""As many as TensorBoard's own summaries have."""


class Summaries:
    """Event files in FOLDER, FOLDER/train, FOLDER/validation and FOLDER/test.

    All methods raise a UserError if they cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        """A split's file is made when it has its first value."""
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def write(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Put each value under its name as the tag, at the global step."""
        with self._writing(split, step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def write_image(self, split: str, step: int, tag: str, png: bytes) -> None:
        """Show an image, which is encoded already."""
        from tensorboard.plugins.image import metadata

        width, height = np.frombuffer(png[16:24], ">u4")
        about = metadata.create_summary_metadata(display_name=None, description="")
        with self._writing(split, step):
            tf.summary.write(tag, [str(width), str(height), png], metadata=about)

    def write_text(self, split: str, step: int, tag: str, markdown: str) -> None:
        """Show a text."""
        with self._writing(split, step):
            tf.summary.text(tag, markdown)

    def write_graph(self, split: str, graph: tf.Graph) -> None:
        """Show a graph."""
        with self._writing(split, 0):
            tf.summary.graph(graph.as_graph_def())

    def write_histograms(self, split: str, step: int, values: Mapping[str, tf.Tensor]) -> None:
        """Put a histogram of each tensor under its name."""
        with self._writing(split, step):
            for tag, tensor in values.items():
                tf.summary.histogram(tag, tensor)

    def write_pr_curve(self, split: str, step: int, tag: str, counts: ThresholdCounts) -> None:
        """Show the precision over the recall of one class against the rest."""
        from tensorboard.plugins.pr_curve import metadata

        at = counts.at(np.linspace(0, 1, PR_CURVE_THRESHOLDS))
        negatives = at.negatives - at.false_positives, at.positives - at.true_positives
        rows = [at.true_positives, at.false_positives, *negatives, at.precision, at.recall]
        about = metadata.create_summary_metadata(
            display_name=tag, description="", num_thresholds=PR_CURVE_THRESHOLDS
        )
        with self._writing(split, step):
            tf.summary.write(tag, np.asarray(rows, np.float32), metadata=about)

    def write_options(self, options: Mapping[str, Any], metrics: Sequence[str]) -> None:
        """List a run in the table of TensorBoard's HParams.

        Args:
            options: Numbers, texts and truth values by name.
            metrics: The tags of the results of validation and test, which are its columns.
        """
        from tensorboard.plugins.hparams import api

        columns = [
            api.Metric(tag, group=split, display_name=f"{split} {tag}")
            for split in ("test", "validation")
            for tag in metrics
        ]
        with self._writing(RUN, 0):
            api.hparams_config([api.HParam(name) for name in options], columns)
            api.hparams(options, trial_id=self._folder.name)

    def flush(self) -> None:
        """Write everything to the disk, where TensorBoard sees it."""
        for split, writer in self._writers.items():
            with self._as_user_errors():
                writer.flush()
            if not (self._folder / split).is_dir():  # TensorFlow writes on to a file without a name
                raise UserError(f"{self._folder / split} has vanished; restore the folder")

    @contextlib.contextmanager
    def _writing(self, split: str, step: int) -> Iterator[None]:
        with self._as_user_errors(), self._writer(split).as_default(step=step):
            yield

    def _writer(self, split: str) -> tf.summary.SummaryWriter:
        assert split in (*SPLITS, RUN), split
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
