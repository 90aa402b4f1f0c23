"""The cost of checkpoints with `--checkpoint-every auto`: the head's training, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.head import BATCH, STEPS, head_trainer, random_features
from benchmarks.loops import TrainOnly
from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians, warmed_up
from trainer import Config, EverySeconds, Hook, Trainer
from trainer.checkpoints.checkpointer import SHARE_OF_TIME
from trainer.checkpoints.training_state import TrainingState
from trainer.core.run_folder import RunFolder
from trainer.hooks.progress import SECONDS_PER_REFRESH
from trainer.loop.triggers import Checkpointer, TimeBudget
from trainer.report.clock import Clock

EPOCHS, ROUNDS = 150, 3
WITHOUT, BY_DEFAULT = "without checkpoints", "as often as by default"
SHARE = "% of the time for checkpoints"


class RefreshNothing(Hook):
    """Ends calls into the graph as often as the progress bar does."""

    when = EverySeconds(SECONDS_PER_REFRESH)


class Timed:
    """An action, and how long all its calls took."""

    def __init__(self, action: Callable[[], None]) -> None:
        """Before the first call."""
        self._action, self.seconds, self.calls = action, 0.0, 0

    def __call__(self) -> None:
        """Call it once more."""
        began = time.perf_counter()
        self._action()
        self.seconds += time.perf_counter() - began
        self.calls += 1


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Training with and without them; a run is about ten seconds of steps."""
    config = Config(epochs=EPOCHS, batch_size=BATCH)
    trainer = head_trainer(TrainOnly, config, random_features())
    run = RunFolder(folders.scratch)
    run.checkpoints.mkdir()
    state = TrainingState(trainer, run, Clock(), {})
    runs = {
        WITHOUT: lambda: _measured(trainer, None),
        BY_DEFAULT: lambda: _measured(trainer, Timed(state.save)),
    }
    return warmed_up([Contestant(name, run, ROUNDS) for name, run in runs.items()])


def claims(medians: Medians) -> Sequence[Claim]:
    """The share of the time that they take."""
    return [Claim("share of the time, %", medians[BY_DEFAULT][SHARE], at_most=2.0)]


def _measured(trainer: Trainer, save: Timed | None) -> Measures:
    checkpointer = None
    if save is not None:
        budget = TimeBudget(SHARE_OF_TIME)
        checkpointer = Checkpointer(budget, budget.timed(save))
    trainer.step, trainer.history = 0, []
    began = time.perf_counter()
    trainer.fit([RefreshNothing()], checkpointer)
    seconds = time.perf_counter() - began
    measures = {"ms a step": seconds / (EPOCHS * STEPS) * 1e3}
    if save is None:
        return measures
    return {
        **measures,
        "ms a checkpoint": save.seconds / save.calls * 1e3,
        SHARE: 100 * save.seconds / seconds,
    }
