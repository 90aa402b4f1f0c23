"""Which run is resumed, and with which options."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import time
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.config.bounds import flag
from trainer.config.config import STOPPING, Config
from trainer.config.logging import LoggingOptions
from trainer.core.addresses import address_of
from trainer.core.errors import UserError
from trainer.core.run_folder import START_FORMAT, RunFolder
from trainer.distribution.local_group import GROUP_SIZE
from trainer.remote.runs import local_run, remote_runs, shown_run
from trainer.setup.plugins import is_found_by_name

LAST = "last"

RESUMABLE_OPTIONS = frozenset(
    {
        *STOPPING,
        *(field.name for field in dataclasses.fields(LoggingOptions)),
        "checkpoint_every",
        *("data_dir", "cache_dir", "feature_memory", "strategy", "devices"),
        "resume",
    }
)
"""The options that a resumed run may have others of: they change no step that it takes."""


MOST_VARIED_OPTIONS = ("learning_rate", "batch_size", "epochs", "extractor", "optimizer")
"""What stands first in a table of runs."""


def find_run(
    asked: str,
    log_dir: Path,
    task_name: str | None,
    cache_folder: Path | None = None,
    option: str = "--resume",
) -> Path:
    """The folder of the run that an option names; of a remote one that which is kept here.

    Args:
        asked: The folder or its address, or "last" for the run that was started last.
        log_dir: Where the last run is looked for.
        task_name: The task whose runs count; all, when None.
        cache_folder: Where what is remote is kept here; the platform's when None.
        option: For messages.

    Raises:
        UserError: there is no run, or it cannot be downloaded.
    """
    if asked != LAST:
        path = local_run(asked, cache_folder)
        if not RunFolder(path).config.is_file():
            raise UserError(
                f"{option} {asked}: there is no run (no {RunFolder(path).config}); choose a folder"
                f" LOG_DIR/<task>/<run>, or {LAST}"
            )
        return path
    is_remote = address_of(log_dir) is not None
    runs = _remote_starts(log_dir, task_name) if is_remote else _starts(log_dir, task_name)
    if not runs:
        of_task = f" of {task_name}" if task_name else ""
        raise UserError(
            f"{option} {LAST}: there is no run{of_task} in --log-dir"
            f" {address_of(log_dir) or log_dir}; choose the folder that has it, or begin one"
        )
    return local_run(max(runs, key=runs.__getitem__), cache_folder)


def saved_config(run: Path) -> Config:
    """The config that a run was started with.

    Raises:
        UserError: its file cannot be read, or is that of another release.
    """
    path = RunFolder(run).config
    try:
        return config_from_json(json.loads(path.read_bytes()))
    except KeyError as unknown:
        raise UserError(
            f"{path}: there is no option {unknown}; resume with the release that began the run"
        ) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} cannot be read ({error}); start a new run") from error


def config_from_json(options: Mapping[str, Any]) -> Config:
    """The config of which these are `Config.as_json()`.

    Raises:
        KeyError: there is no option of a name.
        UserError: a value is out of its bounds.
    """
    types = typing.get_type_hints(Config)
    return Config(**{name: _typed(types[name], value) for name, value in options.items()})


def check_same_options(saved: Config, given: Config) -> None:
    """Refuse options that contradict those of the run to resume.

    Raises:
        UserError: naming the option.
    """
    for field in dataclasses.fields(Config):
        before, now = getattr(saved, field.name), getattr(given, field.name)
        if before != now and field.name not in RESUMABLE_OPTIONS:
            raise UserError(
                f"{flag(field.name)} {now}: the run to resume has {before}; omit it, or start a"
                " new run"
            )


def comparable_options(config: Config) -> dict[str, Any]:
    """The options that change what comes out, by name: the columns of a table of runs."""
    options = config.as_json()
    left_out = (RESUMABLE_OPTIONS - {*STOPPING}) | {"task", "dry_run", "jit"}
    names = dict.fromkeys((*MOST_VARIED_OPTIONS, *options))
    return {name: options[name] for name in names if name not in left_out}


def finished_message(run: Path, config: Config) -> str | None:
    """One line if the run has nothing left to do; None if it has."""
    try:
        result = json.loads(RunFolder(run).result.read_bytes())
        if any(result["config"][name] != value for name, value in config.stopping.items()):
            return None
        stopped, epochs = result["stopped"], result["epochs"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    why = f"stopped by {stopped} in epoch {epochs}" if stopped else f"all {epochs} epochs"
    return (
        f"{shown_run(run)} is finished: {why}; to continue, choose more --epochs or another"
        " condition"
    )


def resume_command(run: Path, config: Config) -> str:
    """What to type to resume a run: a command, or an argument where a script began it."""
    if not is_found_by_name(config):
        return f"Config(resume={shown_run(run)!r}, …) in the script that began it"
    workers = os.environ.get(GROUP_SIZE)
    command = "run" if workers is None else f"launch --workers {workers}"
    return f"python -m trainer.{command} --resume {shlex.quote(shown_run(run))}"


def _typed(hint: Any, value: Any) -> Any:
    """A value of JSON as the option takes it."""
    if value is None:
        return None
    kinds = typing.get_args(hint) or (hint,)
    if Path in kinds:
        return Path(value)
    return tuple(value) if isinstance(value, list) else value


def _starts(log_dir: Path, task_name: str | None) -> dict[str, tuple[float, int]]:
    """When each run of a folder was started; one with a name of its own: when its process came."""
    found = {}
    for config in log_dir.glob(f"{task_name or '*'}/*/config.json"):
        files = RunFolder(config.parent)
        taken = files.lock if files.lock.exists() else files.config
        found[str(config.parent)] = _started(config.parent.name, taken.stat().st_mtime)
    return found


def _remote_starts(log_dir: Path, task_name: str | None) -> dict[str, tuple[float, int]]:
    runs = remote_runs(log_dir, task_name)
    return {run: _started(run.rpartition("/")[2], taken or 0.0) for run, taken in runs.items()}


def _started(name: str, taken: float) -> tuple[float, int]:
    """When a run was started: its name, which has a number after others of that second.

    Of one with a name of its own, when its process took it.
    """
    form = re.fullmatch(r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:-(\d+))?", name)
    if form is None:
        return taken, 1
    return time.mktime(time.strptime(form[1], START_FORMAT)), int(form[2] or 1)
