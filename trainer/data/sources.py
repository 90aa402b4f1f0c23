"""Which source a run reads: TFDS, a folder, or the built-in sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import platformdirs

from trainer.config import Config
from trainer.data.folders import folder_source
from trainer.data.samples import SAMPLES, sample_folder
from trainer.data.splits import Source
from trainer.data.tfds_builders import default_data_dir, is_prepared, tfds_source
from trainer.errors import UserError
from trainer.task import Task


def open_source(task: Task, config: Config, drawing: Callable[[int, int], None]) -> Source:
    """The source that `--data` asks for. Only `tfds` ever downloads.

    `drawing(done, total)` is called while the pictures of a sample are drawn.

    Raises:
        UserError: the data are not there, or nothing can be learnt from them.
    """
    data_dir = config.data_dir or default_data_dir()
    if config.data == "tfds":
        return tfds_source(task.dataset, task.splits, data_dir)
    if config.data == "sample":
        return _sample_source(task, config, drawing)
    if config.data == "auto":
        if is_prepared(task.dataset, data_dir):
            return tfds_source(task.dataset, task.splits, data_dir)
        return _sample_source(task, config, drawing)
    return folder_source(Path(config.data))


def description(source: Source, task: Task, config: Config) -> str:
    """One plain line: what the run reads and, for the sample, how to get the real thing."""
    examples = sum(source.examples.values())
    counted = f"{examples:,} images of {len(source.classes)} classes"
    if source.kind == "sample":
        return (
            f"data: the built-in sample, {counted} drawn by the program"
            f" (--data tfds downloads the real {task.dataset})"
        )
    if source.kind == "tfds":
        place = config.data_dir or default_data_dir()
        return f"data: {source.name} {source.version} of TFDS in {place}, {counted}"
    return f"data: the folder {config.data}, {counted}"


def _sample_source(task: Task, config: Config, drawing: Callable[[int, int], None]) -> Source:
    if task.sample is None:
        prepared = f", and TFDS has no {task.dataset} prepared" if config.data == "auto" else ""
        raise UserError(
            f"{task.name} has no built-in sample{prepared}; --data tfds takes {task.dataset} of"
            " TFDS, --data PATH a folder of class folders"
        )
    cache_dir = config.cache_dir or Path(platformdirs.user_cache_dir("trainer"))
    try:
        folder = sample_folder(task.sample, cache_dir, config.sample_examples, drawing)
    except OSError as error:
        raise UserError(
            f"--cache-dir {cache_dir}: the drawn sample cannot be kept there ({error.strerror})"
        ) from error
    source = folder_source(folder, kind="sample", name=task.sample)
    return dataclasses.replace(source, version=str(SAMPLES[task.sample].version))
