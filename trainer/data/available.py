"""Where the data of a task are, found without opening them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from trainer import samples
from trainer.core.tensorflow_import import import_tensorflow
from trainer.task import Task

Place = Literal["tfds", "sample", "download", "path", "own"]
"""Prepared by TFDS, built in, to be downloaded by TFDS, given with `--data PATH`, or made by the
task itself."""


@dataclasses.dataclass(frozen=True)
class AvailableData:
    """What `--data auto` takes for a task."""

    place: Place
    examples: int | None = None
    """How many the data have, of all classes; None where that is not known without opening them."""

    folder: Path | None = None
    """Where TFDS has them prepared."""


def available_data(task: Task, data_dir: Path) -> AvailableData:
    """What a task learns from on this machine, as `--data auto` chooses it.

    Args:
        task: The task.
        data_dir: The folder of TFDS' datasets.
    """
    if type(task).data is not Task.data:
        return AvailableData("own")
    if not task.dataset:
        return AvailableData("path")
    prepared = _prepared_folder(task.dataset, data_dir)
    if prepared:
        return AvailableData("tfds", _examples(prepared), prepared)
    if task.sample:
        return AvailableData("sample", _sample_examples(task.sample))
    return AvailableData("download")


def _prepared_folder(dataset: str, data_dir: Path) -> Path | None:
    """The folder of a dataset that is ready to be read; TFDS is asked where there is one."""
    if not (data_dir / dataset.partition("/")[0].partition(":")[0]).is_dir():
        return None
    import_tensorflow()  # silently
    from trainer.data.readers.tfds import prepared_folder

    return prepared_folder(dataset, data_dir)


def _sample_examples(sample: str) -> int:
    [info] = samples.FOLDER.glob(f"{sample}/*/dataset_info.json")
    return _examples(info.parent)


def _examples(folder: Path) -> int:
    """How many examples TFDS has stored in the folder of a version, all splits together."""
    info: Mapping[str, Any] = json.loads((folder / "dataset_info.json").read_bytes())
    lengths = (length for split in info["splits"] for length in split["shardLengths"])
    return sum(map(int, lengths))
