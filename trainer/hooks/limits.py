"""`--max-minutes` and `--dry-run`: ending training after a time or a number of steps."""

from __future__ import annotations

from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer
from trainer.loop.triggers import EverySeconds, EverySteps
from trainer.report.clock import Clock

SECONDS_PER_CHECK = 0.5
"""How much later than asked training may end."""


class MaxMinutes(Hook):
    """Stops when training has taken so many minutes, within an epoch too."""

    def __init__(self, minutes: float, clock: Clock) -> None:
        """The clock counts what a resumed run has taken before."""
        self.when = EverySeconds(SECONDS_PER_CHECK)
        self._minutes, self._clock = minutes, clock

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Stop if the time is over."""
        if self._clock.seconds["train"] >= 60 * self._minutes and not trainer.finished:
            trainer.stop(f"--max-minutes {self._minutes:g}")


class StopAfterOneStep(Hook):
    """Stops a dry run."""

    when = EverySteps(1)

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Stop."""
        trainer.stop("--dry-run")
