"""`--checkpoint-every`: when a run saves its state."""

from __future__ import annotations

from trainer.checkpoints.training_state import TrainingState
from trainer.config import durations
from trainer.loop.trainer import Trainer
from trainer.loop.triggers import Checkpointer, EverySteps, TimeBudget

SHARE_OF_TIME = 0.015
"""The share of all time for checkpoints by default: below 2 % even if some take longer."""


def make_checkpointer(state: TrainingState, trainer: Trainer) -> Checkpointer:
    """Saves a state every so many steps; auto is as often as `SHARE_OF_TIME` is enough for."""
    every = trainer.config.checkpoint_every
    if every == "auto":
        budget = TimeBudget(SHARE_OF_TIME)
        return Checkpointer(budget, budget.timed(state.save))
    steps = durations.steps(
        "--checkpoint-every",
        every,
        steps_per_epoch=trainer.steps_per_epoch,
        total_steps=trainer.total_steps,
        batch_size=trainer.config.batch_size,
    )
    return Checkpointer(EverySteps(steps, at_end=True), state.save)
