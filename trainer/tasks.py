"""`python -m trainer.tasks`: the tasks, their data, and whether the data are on this machine."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer import command_line
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.text import first_line
from trainer.data.available import AvailableData, available_data
from trainer.report.display import Table
from trainer.setup.plugins import find_task, task_names
from trainer.task import Task

logger = logging.getLogger("trainer.tasks")  # not __name__, which is __main__ as a command


@dataclasses.dataclass(frozen=True)
class TasksOptions:
    """List the tasks that --task finds by name, their data, and where the data are."""

    data_dir: Path | None = None
    """The folder of TFDS datasets; the default of TFDS when not given."""


OPTIONS = TasksOptions()
"""The defaults, which shells complete too."""


def main(arguments: Sequence[str]) -> None:
    """List them.

    Raises:
        UserError: an option that does not exist.
    """
    options, output = command_line.parse_options("tasks", OPTIONS, arguments)
    data_dir = Config(data_dir=options.data_dir).tfds_folder
    with output.shown():
        listed = [_listed(name, data_dir) for name in task_names()]
        logger.info(Table("task", {task["task"]: _cells(task) for task in listed}))
        logger.info(
            "also tfds:NAME, any dataset of TFDS that has images with a class each, and"
            " module:Class, a task of your own; python -m trainer.run --task flowers trains one"
        )
    output.print_json({"tasks": listed})


def _listed(name: str, data_dir: Path) -> dict[str, Any]:
    """What is known of a task, as JSON takes it."""
    try:
        task = find_task(name)
    except Exception as error:  # of the package that has registered it
        return {"task": name, "error": f"cannot be loaded: {first_line(error)}"}
    about = {"task": name, "learns": _first_sentence(task), "dataset": task.dataset or None}
    try:
        found = available_data(task, data_dir)
    except UserError as error:
        return {**about, "error": str(error)}
    folder = str(found.folder) if found.folder else None
    where = {"place": found.place, "folder": folder, "examples": found.examples}
    return {**about, **where, "data": _where(task, found)}


def _first_sentence(task: Task) -> str:
    return (inspect.getdoc(type(task)) or "").partition("\n")[0]


def _where(task: Task, found: AvailableData) -> str:
    path = "PATH" if task.label_kind == "class" else "labels.csv"
    return {
        "tfds": f"TFDS, prepared in {found.folder}",
        "sample": f"built-in sample; --data tfds downloads {task.dataset}",
        "download": f"not on this machine: --data tfds downloads {task.dataset}",
        "path": f"yours: --data {path}",
        "own": "made by the task itself",
    }[found.place]


def _cells(task: dict[str, Any]) -> dict[str, str]:
    examples = task.get("examples")
    return {
        "learns": task.get("learns", ""),
        "dataset": task.get("dataset") or "",
        "images": "" if examples is None else f"{examples:,}",
        "data": task.get("data") or task["error"],
    }


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
