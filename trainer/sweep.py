"""`python -m trainer.sweep`: many trials of one task by one start."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer import command_line
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.tensorflow_import import import_tensorflow
from trainer.setup.plugins import find_task
from trainer.sweeping.plan import SweepOptions, plan_to_resume, split_options


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepCommand(Config, SweepOptions):
    """Train many trials of a task, of a grid, at random or by a search; or cross-validate one.

    All options of trainer run are those of every trial.
    """

    def __post_init__(self) -> None:
        """Check the options of runs and those of the sweep.

        Raises:
            UserError: naming the option.
        """
        super().__post_init__()
        if self.dry_run:
            raise UserError("--dry-run is of trainer run; try a sweep with --epochs 1")
        if self.strategy not in ("auto", "one") or self.devices is not None:
            raise UserError("--strategy and --devices: a sweep has a trial on each core; omit them")


OPTIONS = SweepCommand()
"""The defaults, which shells complete too; those of the task go before them."""


def main(arguments: Sequence[str]) -> None:
    """Sweep what the options ask for.

    Raises:
        UserError: what a person can fix.
    """
    name = command_line.given("task", arguments) or Config.task
    defaults = SweepCommand(**dataclasses.asdict(find_task(name).defaults))
    options, output = command_line.parse_options("sweep", defaults, arguments)
    plan = split_options(options)
    if options.resume is not None:
        plan = plan_to_resume(options.resume, _changed(options, defaults))
    with output.shown():
        content = _run(plan, options.resume)
    output.print_json(content)


def _run(plan: Any, resumed: Path | None) -> dict[str, Any]:
    from trainer.sweeping.sweep import run_sweep  # with NumPy and rich

    if plan.options.find_learning_rate:
        import_tensorflow()
        from trainer.sweeping.learning_rate_range import find_learning_rate

        return find_learning_rate(plan)
    return run_sweep(plan, resumed)


def _changed(options: SweepCommand, defaults: SweepCommand) -> dict[str, Any]:
    pairs = ((n, getattr(options, n), getattr(defaults, n)) for n in options.__dataclass_fields__)
    return {name: value for name, value, default in pairs if value != default}


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
