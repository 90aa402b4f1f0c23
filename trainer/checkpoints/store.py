"""Checkpoints on disk, each whole or not there at all: FOLDER/step-120, the last three.

    variables.index, variables.data-…   TensorFlow's own files of all variables
    training.json                       where training is, in everything that is no variable
    checksums.json                      SHA-256 of the other files, written last

The oldest is removed only when the newest has its name: wherever a crash strikes, the one before
is whole.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.core.hashing import file_sha256
from trainer.core.text import first_line

MAX_TO_KEEP = 3

_NAME = re.compile(r"step-\d+(-\d+)?")

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that is whole."""

    path: Path
    training: Mapping[str, Any]
    """Where training was: its step, its history …"""

    @property
    def variables(self) -> str:
        """The prefix of TensorFlow's files."""
        return _variables(self.path)


class DamagedCheckpointError(Exception):
    """A checkpoint's files differ from what was written."""


def write_checkpoint(
    folder: Path, step: int, variables: tf.train.Checkpoint, training: Mapping[str, Any]
) -> None:
    """Write the present values of variables, and what else JSON takes, as the newest checkpoint.

    Raises:
        UserError: it cannot be written; those before are as they were.
    """
    try:
        folder.mkdir(exist_ok=True)
        written = _free_name(folder, step)
        with atomic.new_folder(folder / written) as beside:
            variables.write(_variables(beside))
            (beside / "training.json").write_text(json.dumps(training))
            (beside / "checksums.json").write_text(json.dumps(_checksums(beside), indent=1))
        # Later ones are damaged, or this one would not have been written: they do not count.
        names = [path.name for path in _by_step(folder)]
        for oldest in names[: names.index(written) + 1][:-MAX_TO_KEEP]:
            atomic.remove_folder(folder / oldest)
    except (OSError, tf.errors.OpError) as error:
        raise UserError(
            f"the checkpoint of step {step} cannot be written to {folder} ({_reason(error)});"
            " make room there, or restore the folder"
        ) from error


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The last one that is whole; None where none was ever written. Damage is logged.

    Raises:
        UserError: all that there are are damaged.
    """
    written = _by_step(folder)
    for path in reversed(written):
        try:
            return _checked(path)
        except DamagedCheckpointError as damage:
            logger.warning("%s; the checkpoint before it is used", damage)
    if written:
        raise UserError(
            f"{folder}: none of its {len(written)} checkpoints is whole; restore one from a"
            " backup, or start a new run"
        )
    return None


def restore_variables(checkpoint: Checkpoint, variables: tf.train.Checkpoint) -> None:
    """Give variables the values that they have in a checkpoint, all of them and no others.

    Raises:
        UserError: the checkpoint is of others.
    """
    try:
        variables.read(checkpoint.variables).assert_consumed()
    except (AssertionError, ValueError) as error:
        raise UserError(
            f"{checkpoint.path} is of another model or optimizer ({first_line(error)});"
            " resume with the code that began the run"
        ) from error


def _checked(path: Path) -> Checkpoint:
    try:
        checksums = json.loads((path / "checksums.json").read_bytes())
        found = _checksums(path)
        differing = sorted(n for n in {*checksums, *found} if checksums.get(n) != found.get(n))
        if differing:
            raise DamagedCheckpointError(f"{path / differing[0]} is damaged")
        return Checkpoint(path, json.loads((path / "training.json").read_bytes()))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DamagedCheckpointError(f"{path} is damaged ({first_line(error)})") from error


def _checksums(path: Path) -> dict[str, str]:
    files = sorted(file for file in path.iterdir() if file.name != "checksums.json")
    return {file.name: file_sha256(file) for file in files}


def _variables(path: Path) -> str:
    return str(path / "variables")


def _by_step(folder: Path) -> list[Path]:
    """The oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_order)


def _order(path: Path) -> tuple[int, int]:
    step, number = path.name.removeprefix("step-").partition("-")[::2]
    return int(step), int(number or 1)


def _free_name(folder: Path, step: int) -> str:
    """Of checkpoints of one step each has a higher number, because none may replace another."""
    numbers = [number for other, number in map(_order, _by_step(folder)) if other == step]
    return f"step-{step}-{max(numbers) + 1}" if numbers else f"step-{step}"


def _reason(error: OSError | tf.errors.OpError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return error.message.splitlines()[0]
