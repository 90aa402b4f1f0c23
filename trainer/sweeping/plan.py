"""What a sweep was asked for: its options, beside those of its runs."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from trainer.config.bounds import AtLeast, Options, flag
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.setup.resume import config_from_json
from trainer.sweeping.folder import SweepFolder, Trial, trials_of
from trainer.sweeping.space import Point, Space, grid_points, parse_space, random_points


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepOptions(Options):
    """What is varied, and how."""

    grid: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """NAME=A,B,C: an option of a run and its values; again for another option. Every combination is
    trained. none is the value of an option that is not given."""

    range: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """NAME=LOW:HIGH or NAME=LOW:HIGH:log, of --random and --search: a number between two; again for
    another option."""

    random: Annotated[int | None, AtLeast(1)] = None
    """Train this many random points of the grid and the ranges, which follow from --seed."""

    search: Literal["tpe"] | None = None
    """tpe: let Optuna choose each point by those before (arXiv 1907.10902); it needs the extra
    tf-trainer[search]."""

    trials: Annotated[int | None, AtLeast(1)] = None
    """The points of a --search, of all processes together."""

    prune: bool = False
    """End the trials of a --search that are worse than the median of those before, after an
    epoch."""

    seeds: Annotated[int, AtLeast(1)] = 1
    """Train each point with so many seeds, from --seed on; the table shows mean and deviation."""

    folds: Annotated[int | None, AtLeast(2)] = None
    """Cross-validate each point: train and validation together are cut into so many parts, each of
    which is validation once; it needs the extra tf-trainer[search]."""

    find_learning_rate: bool = False
    """Instead of trials, train some steps with learning rates that rise from 1e-6 to 1, draw the
    loss, and suggest one (arXiv 1506.01186)."""

    def __post_init__(self) -> None:
        """Check each option, then whether those given work together.

        Raises:
            UserError: naming the options.
        """
        super().__post_init__()
        for given, is_allowed, message in (
            (self.trials, self.search, "--trials is of --search tpe; add it, or use --random N"),
            (self.prune, self.search, "--prune is of --search tpe; add it, or omit --prune"),
            (self.search, self.trials, "--search tpe: say how many points, --trials 50"),
            (self.search, not self.random, "--random and --search choose points both; omit one"),
            (
                self.prune,
                self.seeds == 1 and not self.folds,
                "--prune ends single trainings: omit it, or --seeds and --folds",
            ),
            (
                self.find_learning_rate,
                not (self.grid or self.range or self.search or self.random or self.folds),
                "--find-learning-rate is a test of its own; omit --grid and the like",
            ),
        ):
            if given and not is_allowed:
                raise UserError(message)


@dataclasses.dataclass(frozen=True)
class Plan:
    """A sweep: the config that its trials begin with, and what is varied."""

    config: Config
    options: SweepOptions

    @property
    def space(self) -> Space:
        """What is varied.

        Raises:
            UserError: as `parse_space`, or nothing is, or a seed is twice.
        """
        space = parse_space(self.options.grid, self.options.range)
        repeats = self.options.seeds > 1 or self.options.folds
        if not space and (not repeats or self.options.random or self.options.search):
            raise UserError(
                "there is nothing to sweep; add --grid learning_rate=1e-2,1e-3, say, or --seeds 3"
            )
        if self.options.seeds > 1 and any(each.name == "seed" for each in space):
            raise UserError("--seeds and seed in the --grid are the same; omit one")
        return space

    @property
    def points(self) -> list[Point]:
        """All points, where they are known before; none of a search."""
        if self.options.search:
            return []
        if self.options.random is not None:
            return random_points(self.space, self.options.random, self.config.seed)
        return grid_points(self.space)

    @property
    def runs(self) -> list[tuple[int, int | None]]:
        """The seed and the fold of each trial of a point; where seeds are swept the seed is not
        used."""
        seeds = [self.config.seed + number for number in range(self.options.seeds)]
        return list(itertools.product(seeds, range(self.options.folds or 0) or [None]))

    def trials(self, number: int, point: Point) -> list[Trial]:
        """The trials of a point."""
        runs = [(point.get("seed", seed), fold) for seed, fold in self.runs]
        return trials_of(number, point, runs)

    def trial_config(self, trial: Trial) -> Config:
        """The config of a trial, as `trainer.run` takes it.

        Raises:
            UserError: its options do not go together.
        """
        return config_from_json(self.config.as_json() | dict(trial.options) | {"seed": trial.seed})

    def as_json(self) -> dict[str, Any]:
        """What sweep.json holds."""
        return {"config": self.config.as_json(), "sweep": dataclasses.asdict(self.options)}


def split_options(options: Any) -> Plan:
    """The plan of a command's options, which are those of a sweep and of a run together."""
    of_runs = _part(options, Config) | {"strategy": "one"}  # each trial, in a cluster too
    return Plan(Config(**of_runs), SweepOptions(**_part(options, SweepOptions)))


def saved_plan(folder: SweepFolder) -> Plan:
    """The plan that a sweep was started with.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    try:
        content = json.loads(folder.sweep.read_bytes())
        saved: Mapping[str, Any] = content["sweep"]
        options: Any = {n: tuple(v) if isinstance(v, list) else v for n, v in saved.items()}
        return Plan(config_from_json(content["config"]), SweepOptions(**options))
    except FileNotFoundError:
        raise UserError(
            f"--resume {folder.path}: there is no sweep (no {folder.sweep}); choose a folder"
            " LOG_DIR/<task>/<sweep>"
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{folder.sweep} cannot be read ({error}); start a new sweep") from error


def plan_to_resume(folder: Path, given: Mapping[str, Any]) -> Plan:
    """The plan of a sweep that is resumed, perhaps with more points.

    Args:
        folder: Of the sweep.
        given: The options that were given beside, by name.

    Raises:
        UserError: there is none, or an option of it is given again.
    """
    plan = saved_plan(SweepFolder(folder))
    for name in given:
        if name not in ("resume", "trials"):
            raise UserError(
                f"{flag(name)}: a sweep that is resumed has its own options; omit it, or start"
                " another"
            )
    trials = given.get("trials", plan.options.trials)
    return dataclasses.replace(plan, options=dataclasses.replace(plan.options, trials=trials))


def _part(options: Any, group: Any) -> Any:
    return {field.name: getattr(options, field.name) for field in dataclasses.fields(group)}
