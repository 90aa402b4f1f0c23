"""The folder of a sweep, LOG_DIR/<task>/<sweep>/: what was asked for, and a file for each trial."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.config.config import Config
from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.core.run_folder import START_FORMAT
from trainer.setup.plugins import find_task

DONE, PRUNED, FAILED = "done", "pruned", "failed"
"""What a trial may end as."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training: a point of the space, with a seed and perhaps a fold."""

    number: int
    point: int
    """The number of the point: trials of one point differ in seed and fold."""

    options: Mapping[str, Any]
    """The values of the point, as JSON takes them."""

    seed: int
    fold: int | None = None
    """Which part of the pool is validation; None where the data's own splits are used."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What a trial came to."""

    trial: Trial
    status: str
    seconds: float
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Those of validation with the best weights."""

    value: float | None = None
    """The metric by which trials are compared; None of one that failed."""

    epochs: int = 0
    best_step: int = 0
    stopped: str | None = None
    weights_digest: str = ""
    error: str = ""
    """One line, of a trial that failed."""

    traceback: str = ""
    run: str | None = None
    """The run folder, of a trial that was an ordinary run."""


@dataclasses.dataclass(frozen=True)
class SweepFolder:
    """Where a sweep keeps what it was asked for, its table and its trials."""

    path: Path

    @property
    def sweep(self) -> Path:
        """What was asked for."""
        return self.path / "sweep.json"

    @property
    def table(self) -> Path:
        """A row for each trial."""
        return self.path / "sweep.csv"

    @property
    def journal(self) -> Path:
        """The study of a search, to which several processes append."""
        return self.path / "optuna.journal"

    @property
    def lock(self) -> Path:
        """What a process holds that has the sweep to itself."""
        return self.path / ".lock"

    @property
    def processes(self) -> Path:
        """The folder of locks that the processes of one search hold while they live."""
        return self.path / ".processes"

    @property
    def best(self) -> Path:
        """A link to the run folder of the best trial."""
        return self.path / "best"

    def trial(self, number: int) -> Path:
        """The folder of one trial: its result, and its curves for TensorBoard."""
        return self.path / "trials" / f"{number:04}"

    def write_result(self, result: TrialResult) -> None:
        """Keep what a trial came to."""
        folder = self.trial(result.trial.number)
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(dataclasses.asdict(result), indent=2) + "\n"
        atomic.write_bytes(folder / "result.json", content.encode(errors="backslashreplace"))

    def results(self, known: Collection[int] = ()) -> list[TrialResult]:
        """Those of all finished trials, by their numbers.

        Args:
            known: The numbers of trials that are left out.

        Raises:
            UserError: one cannot be read.
        """
        paths = self.path.glob("trials/*/result.json")
        new = [read_result(path) for path in paths if int(path.parent.name) not in known]
        return sorted(new, key=lambda result: result.trial.number)


def read_result(path: Path) -> TrialResult:
    """What a trial came to.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
        return TrialResult(**content | {"trial": Trial(**content["trial"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} cannot be read ({error}); remove it, and it runs again") from error


def trials_of(point: int, options: Mapping[str, Any], runs: Sequence[Any]) -> list[Trial]:
    """The trials of a point: one for each pair of a seed and a fold."""
    first = point * len(runs)
    return [Trial(first + n, point, options, seed, fold) for n, (seed, fold) in enumerate(runs)]


def new_folder(config: Config, kind: str) -> Path:
    """A new folder LOG_DIR/<task>/<--run-name>; without a name that of its kind and the time.

    Raises:
        UserError: it cannot be made, or there is one of that name.
    """
    parent = config.log_dir / find_task(config.task).name
    for name in [config.run_name] if config.run_name else _names(kind):
        try:
            (parent / name).mkdir(parents=True)
            return parent / name
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(
                f"--log-dir {config.log_dir}: no folder can be made there ({error.strerror});"
                " choose another"
            ) from error
    raise UserError(
        f"--run-name {config.run_name}: {parent / str(config.run_name)} is there already; choose"
        " another name, or resume it with --resume"
    )


def _names(kind: str) -> Iterator[str]:
    name, number = time.strftime(f"{kind}_{START_FORMAT}"), 1
    while True:
        yield name if number == 1 else f"{name}-{number}"
        number += 1
