"""What a run shows for people to look at: figures in TensorBoard, and its report."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import threading
from collections.abc import Mapping
from typing import Any

from trainer.config.config import Config
from trainer.core.run_folder import RunFolder
from trainer.loop.trainer import Trainer
from trainer.report.summaries import Summaries
from trainer.results.description import shown_inputs, write_description
from trainer.results.outcome import Outcome
from trainer.results.projector import validation_features, write_projector
from trainer.setup.batches import BatchFactory
from trainer.setup.command import run_command
from trainer.setup.data import RunData
from trainer.setup.resume import comparable_options


@dataclasses.dataclass(frozen=True)
class Presentation:
    """Shows one run; with `--no-report` its options and the graph of the step alone."""

    folder: RunFolder
    config: Config
    data: RunData
    factory: BatchFactory
    trainer: Trainer
    summaries: Summaries

    def describe(self) -> None:
        """Show what is trained, at step 0."""
        write_description(self.trainer, self.summaries, comparable_options(self.config))
        if not self._has_report:
            return
        # Imported while TensorFlow trains, on another core: half a second that nobody waits for.
        threading.Thread(target=_import_report, daemon=True).start()
        train = self.data.images_of("train")
        size, cache = self.factory.extracted_size, self.data.picture_cache
        inputs = shown_inputs(self.trainer, train, size, cache)
        if inputs is not None:
            self.summaries.write_image("train", 0, "inputs", inputs)

    def report(self, outcome: Outcome, result: Mapping[str, Any], task_defaults: Config) -> None:
        """Show what came out.

        Args:
            outcome: What training came to.
            result: The content of result.json.
            task_defaults: What the command need not say.
        """
        if self._has_report:
            from trainer.results.report import Report  # with matplotlib

            report = Report(outcome, self.data.images_of("test"), self.data.picture_cache)
            report.write_to_tensorboard(self.summaries)
            report.write_page(self.folder, result, run_command(self.config, task_defaults))
        if self.config.projector:
            self._write_projector(outcome)
        if self.config.feature_maps or self.config.grad_cam:
            self._write_insight(outcome)

    @property
    def _has_report(self) -> bool:
        return self.config.report and not self.config.dry_run  # whose folder is removed

    def _write_projector(self, outcome: Outcome) -> None:
        are_kept = self.factory.uses_cached_features and self.factory.layer is None
        features = validation_features(self.trainer, are_kept)
        for output in list(outcome.evaluated.splits["validation"].outputs.values())[:1]:
            validation, cache = self.data.images_of("validation"), self.data.picture_cache
            write_projector(self.folder.path, features, output, validation, cache)

    def _write_insight(self, outcome: Outcome) -> None:
        from trainer.results.insight import Insight  # with matplotlib

        test, below = self.data.images_of("test"), self.factory.below_features
        if test is None:
            return
        layers = [self.trainer.model] if below is None else [below.layer, self.trainer.model]
        for name, output in list(outcome.evaluated.splits["test"].outputs.items())[:1]:
            shape, resize = self.factory.image_shape, self.config.resize
            insight = Insight(layers, shape, resize, test, name, output)
            if self.config.feature_maps:
                insight.write_feature_maps(self.summaries, outcome.best_step)
            if self.config.grad_cam and output.kind != "numbers":
                insight.write_grad_cam(self.summaries, outcome.best_step)


def _import_report() -> None:
    """Import what the report needs, if that is possible just now.

    While another thread imports TFDS, relative imports may fail: it replaces `__import__` itself.
    """
    with contextlib.suppress(ImportError, ValueError):
        importlib.import_module("trainer.results.report")
