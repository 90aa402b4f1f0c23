"""The examples that a finished run is measured on: a split of its own data, or of others."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from trainer.config.config import Config
from trainer.core.addresses import address_of
from trainer.core.errors import UserError
from trainer.core.text import did_you_mean
from trainer.data.labels import Names
from trainer.data.own_data import Arrays, DataPipeline
from trainer.data.selection import relabel
from trainer.data.sources import open_source
from trainer.data.splits import Source, Split, joined
from trainer.task import Task


@dataclasses.dataclass(frozen=True)
class MeasuredData:
    """The examples, and what messages call them."""

    about: str
    split: Split
    own_data: Arrays | DataPipeline | None = None
    """The examples, where they are no images."""


def open_measured_data(
    task: Task, config: Config, classes: Names, split: str, path: str | None = None
) -> MeasuredData:
    """A split of a run's own data; of others all images, unless they have splits themselves.

    Args:
        task: What the run has learned.
        config: The run's.
        classes: Their names, by label.
        split: train, validation or test.
        path: A folder of class folders or a table, in place of the run's data.

    Raises:
        UserError: there are no such data, or they have classes that the run has not learned.
    """
    if path is None:
        source = open_source(task, config)
        if source.classes != classes:
            raise UserError(
                f"the data of the run have changed: they have other classes than it has learned"
                f" ({', '.join(source.classes)}); restore them, or choose others with --data"
            )
        own = None if source.own_data is None else source.own_data[split]
        return MeasuredData(f"{split} of {source.name}", source.splits[split], own)
    if address_of(path) is None and not Path(path).exists():
        raise UserError(f"--data {path}: there is no such folder or table")
    source = _with_classes(open_source(task, dataclasses.replace(config, data=path)), classes, path)
    if {"validation", "test"} <= set(source.cut):
        return MeasuredData(f"all of {path}", joined(list(source.splits.values())))
    return MeasuredData(f"{split} of {path}", source.splits[split])


def _with_classes(source: Source, classes: Names, path: str) -> Source:
    """The same examples, labelled as the run has learned it."""
    if source.classes == classes:
        return source
    if source.label_kind != "class":
        raise UserError(
            f"--data {path} has {', '.join(source.classes)}, and the run has learned"
            f" {', '.join(classes)}; give it the same columns"
        )
    if unknown := [name for name in source.classes if name not in classes]:
        raise UserError(
            f"--data {path} has a class {unknown[0]!r}, which the run has not learned;"
            f" {did_you_mean(unknown[0], list(classes))}"
        )
    by_label = [list(classes).index(name) for name in source.classes]
    splits = {name: relabel(split, by_label) for name, split in source.splits.items()}
    return dataclasses.replace(source, classes=classes, splits=splits)
