"""The source of a run by its options: a dataset of TFDS, a folder, or the built-in sample."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from pathlib import Path

from trainer.config.bounds import flag
from trainer.config.config import Config
from trainer.core.addresses import address_of
from trainer.core.cache_folder import DATASETS
from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.checks.unreadable import drop_unreadable
from trainer.data.downloads import downloaded_data
from trainer.data.json_cache import JsonCache
from trainer.data.pipeline.augmentation import Augmentation
from trainer.data.readers.folder import folder_source
from trainer.data.readers.own_data import own_data_source
from trainer.data.readers.partition import split_percents
from trainer.data.readers.sample import sample_source
from trainer.data.readers.table import table_source
from trainer.data.readers.table_rows import SUFFIXES
from trainer.data.readers.tfds import (
    is_prepared,
    require_labelled_images,
)
from trainer.data.readers.tfds_cache import cached_source, open_and_cache
from trainer.data.selection import filter_classes
from trainer.data.splits import Source
from trainer.task import LabelKind, Task, label_kind_text


def open_source(task: Task, config: Config) -> Source:
    """The source that `--data` chooses, with the classes of the task.

    Only `--data tfds` and an address ever download. With `--skip-bad-images` it has only readable
    images.

    Raises:
        UserError: the data are not there, or nothing can be learned from them.
    """
    if task.splits is not None and set(task.splits) != set(SPLITS):
        raise UserError(
            f"{type(task).__name__}.splits has {', '.join(task.splits)}; it must have"
            f" {', '.join(SPLITS)}"
        )
    _check_label_kind(task)
    own_data = task.data()
    if own_data is not None:
        _check_no_image_options(task, config)
        return own_data_source(task, own_data)
    source = _whole_source(task, config)
    if task.classes and source.label_kind != "class":
        raise UserError(f"{type(task).__name__}.classes is for one class an image; remove it")
    if task.classes:
        source = filter_classes(source, task.classes)
    if config.skip_bad_images and source.kind != "folder":
        source = drop_unreadable(source, data_cache(config))
    return source


def _check_label_kind(task: Task) -> None:
    given = task.label_kind
    kinds = [given] if isinstance(given, str) else given.values()
    if unknown := [kind for kind in kinds if kind not in typing.get_args(LabelKind)]:
        raise UserError(
            f"{type(task).__name__}.label_kind has {unknown[0]!r}; it must be"
            f" {', '.join(typing.get_args(LabelKind))}, or a dict of them by output"
        )


def _check_no_image_options(task: Task, config: Config) -> None:
    """Refuse options of images where a task has data of its own.

    Raises:
        UserError: naming the first.
    """
    options = {
        "extractor": config.uses_extractor,
        "data": config.data != "auto",
        "mixup": config.mixup,
        "cutmix": config.cutmix,
        "augment": Augmentation.from_config(config),
        "skip_bad_images": config.skip_bad_images,
    }
    for option, is_given in options.items():
        if is_given:
            what = "choose --extractor none, or extractor='none' in its defaults"
            raise UserError(
                f"{flag(option)}: the data of {task.name} are its own, not images;"
                f" {what if option == 'extractor' else 'omit it'}"
            )


def data_cache(config: Config) -> JsonCache:
    """The cache of what is computed about data."""
    return JsonCache(config.cache_folder / DATASETS)


def description(source: Source, task: Task, config: Config) -> str:
    """One line about a source: what it is and, for the sample, how to get the real data."""
    examples = sum(source.examples.values())
    if source.own_data is not None:
        return f"data: the {source.kind} of {source.name}, {examples:,} examples"
    counted = f"{examples:,} images of {_what_of(source)}"
    if source.kind == "sample":
        return (
            f"data: the built-in sample, {counted} (--data tfds downloads the real {task.dataset})"
        )
    counted += _how_cut(source.cut)
    if any(split.weights is not None for split in source.splits.values()):
        counted += ", weighted by its column weight"
    if source.kind == "tfds":
        return f"data: {source.name} {source.version} of TFDS in {config.tfds_folder}, {counted}"
    return f"data: the {source.kind} {config.data}, {counted}"


def _what_of(source: Source) -> str:
    """How many classes, labels or numbers; the names of several outputs."""
    if not isinstance(source.label_kind, str):
        return ", ".join(source.label_kind)
    count = len(source.classes)
    numbers = "number" if count == 1 else "numbers"
    nouns = {"class": "classes", "labels": "labels", "numbers": numbers}
    return f"{count} {nouns[source.label_kind]}"


def _whole_source(task: Task, config: Config) -> Source:
    if (address := address_of(config.data)) is not None:
        source = _path_source(downloaded_data(address, config.cache_folder), task, config)
        return dataclasses.replace(source, name=address)
    if config.data not in ("auto", "tfds", "sample"):
        return _path_source(Path(config.data), task, config)
    if not task.dataset:
        _require_kind(task, "class", f"--data {config.data}", config)
        raise UserError(
            f"--task {config.task} has no data of its own; choose a folder of class folders with"
            " --data PATH"
        )
    of_tfds = None if config.data == "sample" else _tfds_source(task, config)
    return of_tfds or _sample_source(task, config)


def _tfds_source(task: Task, config: Config) -> Source | None:
    """The dataset of a task; None where `--data auto` would have to download it."""
    data_dir, cache = config.tfds_folder, data_cache(config)
    place = task.dataset, task.splits, data_dir, cache, task.label_kind
    source = cached_source(*place)
    if source is None and (config.data == "tfds" or is_prepared(task.dataset, data_dir)):
        source = open_and_cache(*place)
    return source


def _path_source(path: Path, task: Task, config: Config) -> Source:
    """A table, or a folder of class folders."""
    cache, skip = data_cache(config), config.skip_bad_images
    if path.suffix.lower() in SUFFIXES:
        return table_source(path, task.label_kind, cache, skip)
    _require_kind(task, "class", f"--data {path}", config)
    return folder_source(path, cache=cache, skip_unreadable=skip)


def _require_kind(task: Task, kind: LabelKind, data: str, config: Config) -> None:
    if task.label_kind != kind:
        choice = "--data tfds, or a table" if task.dataset else "a table"
        raise UserError(
            f"{data} has one class an image, and --task {config.task} learns"
            f" {label_kind_text(task)}; choose {choice} with --data labels.csv"
        )


def _sample_source(task: Task, config: Config) -> Source:
    if task.sample is None:
        raise _no_sample(task, config)
    _require_kind(task, "class", f"the sample {task.sample}", config)
    return sample_source(task.sample, config.sample_examples, data_cache(config))


def _no_sample(task: Task, config: Config) -> UserError:
    """The error with the other choices; a dataset that cannot be used at all is reported first."""
    not_prepared = ""
    if config.data == "auto":
        data_dir = config.tfds_folder
        require_labelled_images(task.dataset, data_dir, task.label_kind)
        not_prepared = f", and TFDS has no {task.dataset} prepared in {data_dir}"
    own = "a folder of class folders" if task.label_kind == "class" else "a table, labels.csv"
    return UserError(
        f"{task.name} has no built-in sample{not_prepared}; --data tfds downloads {task.dataset} of"
        f" TFDS, --data PATH takes {own}"
    )


def _how_cut(missing: Sequence[str]) -> str:
    percents = split_percents(missing)
    if len(missing) == 1:
        return f", {missing[0]} cut from train ({percents[missing[0]]} %)"
    cut = "/".join(map(str, percents.values()))
    return f", cut {cut} into train, validation and test" if missing else ""
