"""Which source a run reads: TFDS, a folder, or the built-in sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.config.config import Config
from trainer.core.cache_folder import DATASETS
from trainer.core.errors import UserError
from trainer.data.checks.unreadable import drop_unreadable
from trainer.data.readers.folder import folder_source
from trainer.data.readers.partition import shares
from trainer.data.readers.sample import sample_source
from trainer.data.readers.tfds import (
    default_data_dir,
    is_prepared,
    require_labelled_images,
    tfds_source,
)
from trainer.data.readers.tfds_cache import cached_source, remember
from trainer.data.selection import filter_classes
from trainer.data.splits import Source
from trainer.task import Task


def open_source(
    task: Task,
    config: Config,
    checking: Callable[[int, int], None] = lambda *_: None,
) -> Source:
    """The source that `--data` asks for, with the classes that the task learns.

    Only `tfds` ever downloads. Images that cannot be read are left out if the config says so.

    Args:
        task: What is to be learnt.
        config: Where from.
        checking: Is told how many images are checked, and of how many.

    Raises:
        UserError: the data are not there, or nothing can be learnt from them.
    """
    source = _whole_source(task, config, checking)
    if task.classes:
        source = filter_classes(source, task.classes)
    if config.skip_bad_images and source.kind != "folder":
        source = drop_unreadable(source, checking, config.cache_folder / DATASETS)
    return source


def _whole_source(task: Task, config: Config, checking: Callable[[int, int], None]) -> Source:
    if config.data not in ("auto", "tfds", "sample"):
        return _folder(Path(config.data), config, checking)
    if not task.dataset:
        raise UserError(
            f"--task {config.task} has no data of its own; give it a folder of class folders,"
            " --data PATH"
        )
    if config.data == "tfds" or (config.data == "auto" and _is_at_hand(task, config)):
        return _tfds_source(task, config)
    if task.sample is None:
        raise _no_sample(task, config)
    return sample_source(task.sample, config.sample_examples, config.cache_folder / DATASETS)


def description(source: Source, task: Task, config: Config) -> str:
    """One plain line: what the run reads and, for the sample, how to get the real thing."""
    examples = sum(source.examples.values())
    counted = f"{examples:,} images of {len(source.classes)} classes"
    if source.kind == "sample":
        return (
            f"data: the built-in sample, {counted} (--data tfds downloads the real {task.dataset})"
        )
    counted += _how_cut(source.cut)
    if source.kind == "tfds":
        data_dir, _ = _tfds_folders(config)
        return f"data: {source.name} {source.version} of TFDS in {data_dir}, {counted}"
    return f"data: the folder {config.data}, {counted}"


def _how_cut(missing: Sequence[str]) -> str:
    percents = shares(missing)
    if len(missing) == 1:
        return f", {missing[0]} cut from train ({percents[missing[0]]} %)"
    cut = "/".join(map(str, percents.values()))
    return f", cut {cut} into train, validation and test" if missing else ""


def _tfds_source(task: Task, config: Config) -> Source:
    data_dir, memory = _tfds_folders(config)
    source = cached_source(task.dataset, task.splits, data_dir, memory)
    if source is None:
        source = tfds_source(task.dataset, task.splits, data_dir)
        remember(source, task.splits, data_dir, memory)
    return source


def _is_at_hand(task: Task, config: Config) -> bool:
    """Whether TFDS needs no download; asked only where nothing is remembered."""
    data_dir, memory = _tfds_folders(config)
    remembered = cached_source(task.dataset, task.splits, data_dir, memory)
    return remembered is not None or is_prepared(task.dataset, data_dir)


def _tfds_folders(config: Config) -> tuple[Path, Path]:
    """Where TFDS keeps datasets, and where we keep what it told of them."""
    return config.data_dir or default_data_dir(), config.cache_folder / DATASETS


def _folder(folder: Path, config: Config, checking: Callable[[int, int], None]) -> Source:
    checked = checking if config.skip_bad_images else None
    return folder_source(folder, memory=config.cache_folder / DATASETS, checking=checked)


def _no_sample(task: Task, config: Config) -> UserError:
    """What else there is; where the dataset itself is at fault, that comes first."""
    prepared = ""
    if config.data == "auto":
        data_dir, _ = _tfds_folders(config)
        require_labelled_images(task.dataset, data_dir)
        prepared = f", and TFDS has no {task.dataset} prepared in {data_dir}"
    return UserError(
        f"{task.name} has no built-in sample{prepared}; --data tfds downloads {task.dataset} of"
        " TFDS, --data PATH takes a folder of class folders"
    )
