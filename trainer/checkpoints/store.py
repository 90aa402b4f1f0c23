"""Checkpoints on disk, each whole or not there at all: FOLDER/step-120, the last three.

    variables.index, variables.data-…   TensorFlow's own files of all variables
    training.json                       where training is, for all that is no variable
    checksums.json                      SHA-256 of the other files, written last

A checkpoint is written into a hidden folder, flushed to the disk, and gets its name by one rename;
only then the oldest is taken away. Wherever a crash strikes, the one before is whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core.errors import UserError

KEPT = 3

_NAME = re.compile(r"step-\d+(-\d+)?")


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """One that is whole."""

    path: Path
    training: Mapping[str, Any]
    """Where training was: its step, its history …"""

    @property
    def variables(self) -> str:
        """What TensorFlow calls its files by."""
        return _variables(self.path)


class DamagedCheckpointError(Exception):
    """A checkpoint is not what it was when it was written."""


def write_checkpoint(
    folder: Path, step: int, variables: tf.train.Checkpoint, training: Mapping[str, Any]
) -> None:
    """Keep the present values of variables, and what else JSON takes, as the newest checkpoint.

    Raises:
        UserError: it cannot be written; those before are as they were.
    """
    try:
        folder.mkdir(exist_ok=True)
        with _hidden(folder) as beside:
            variables.write(_variables(beside))
            (beside / "training.json").write_text(json.dumps(training))
            (beside / "checksums.json").write_text(json.dumps(_checksums(beside), indent=1))
            _flush(beside)
            written = beside.rename(_free_name(folder, step))
        _flush_entries(folder)
        # Later ones are damaged, or this one would not have been written: they count for nothing.
        kept = _by_step(folder)
        for oldest in kept[: kept.index(written) + 1][:-KEPT]:
            _take_away(oldest)
    except (OSError, tf.errors.OpError) as error:
        raise UserError(
            f"the checkpoint of step {step} cannot be written to {folder} ({_reason(error)});"
            " make room there, or give the folder back"
        ) from error


def newest_checkpoint(folder: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The last one that is whole; None where none was ever written.

    Args:
        folder: Where they are.
        say: Is told of each that is damaged.

    Raises:
        UserError: all that there are are damaged.
    """
    written = _by_step(folder)
    for path in reversed(written):
        try:
            return _checked(path)
        except DamagedCheckpointError as damage:
            say(f"{damage}; the checkpoint before it is used")
    if written:
        raise UserError(
            f"{folder}: none of its {len(written)} checkpoints is whole; bring one back from a"
            " copy, or start a new run"
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
            f"{checkpoint.path} is of another model or optimizer ({_first_line(error)});"
            " go on with the code that began the run"
        ) from error


def _checked(path: Path) -> Checkpoint:
    try:
        checksums = json.loads((path / "checksums.json").read_bytes())
        found = _checksums(path)
        differing = sorted(name for name in {*checksums, *found} if _differ(name, checksums, found))
        if differing:
            raise DamagedCheckpointError(f"{path / differing[0]} is damaged")
        return Checkpoint(path, json.loads((path / "training.json").read_bytes()))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DamagedCheckpointError(f"{path} is damaged ({_first_line(error)})") from error


def _differ(name: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return one.get(name) != other.get(name)


def _checksums(path: Path) -> dict[str, str]:
    files = sorted(file for file in path.iterdir() if file.name != "checksums.json")
    return {file.name: _sha256(file) for file in files}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _variables(path: Path) -> str:
    return str(path / "variables")


def _by_step(folder: Path) -> list[Path]:
    """The oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_order)


def _order(path: Path) -> tuple[int, int]:
    step, number = path.name.removeprefix("step-").partition("-")[::2]
    return int(step), int(number or 1)


def _free_name(folder: Path, step: int) -> Path:
    """Of checkpoints of one step each has a higher number, for none may replace another."""
    numbers = [number for of, number in map(_order, _by_step(folder)) if of == step]
    return folder / (f"step-{step}-{max(numbers) + 1}" if numbers else f"step-{step}")


@contextlib.contextmanager
def _hidden(folder: Path) -> Iterator[Path]:
    """A folder that is gone at the end, unless it has got another name."""
    beside = folder / f".writing-{secrets.token_hex(8)}"
    beside.mkdir()
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _take_away(path: Path) -> None:
    # Under another name first: a crash in the midst leaves no half of a checkpoint.
    hidden = path.with_name(f".old-{secrets.token_hex(8)}")
    path.rename(hidden)
    shutil.rmtree(hidden)


def clear_remains(folder: Path) -> None:
    """Take away what a killed process was writing or taking away; nobody else may write there."""
    for kind in (".writing-*", ".old-*"):
        for path in folder.glob(kind):
            shutil.rmtree(path, ignore_errors=True)


def _flush(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _flush_entries(folder)


def _flush_entries(folder: Path) -> None:
    entries = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entries)
    finally:
        os.close(entries)


def _reason(error: OSError | tf.errors.OpError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return error.message.splitlines()[0]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
