"""Options of the run itself: your own classes, resuming, checkpoints, compilation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from trainer.config import durations
from trainer.config.bounds import MAX_COUNT, Between, Options
from trainer.core.errors import UserError

AUTO = "auto"
"""The value of `--checkpoint-every` that leaves the interval to the run."""


def check_checkpoint_every(option: str, value: str) -> None:
    """Accept auto and durations above 0."""
    if value != AUTO and durations.parse(option, value).amount == 0:
        raise UserError(f"{option} must be more than 0, 1epoch for example")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions(Options):
    """How a run is carried out and what it writes; the weights follow from the other groups."""

    trainer: str = "trainer:Trainer"
    """Your own subclass of trainer.Trainer, as module:Class."""

    hook: tuple[str, ...] = ()
    """Your own hooks, each as module:factory: what is called without arguments and returns a
    Hook."""

    checkpoint_every: Annotated[str, check_checkpoint_every] = AUTO
    """How often a checkpoint is saved, for --resume: 200steps, 2epochs, 10%; auto spends less than
    a fiftieth of the time on it. The best weights are saved at every validation."""

    resume: Path | None = None
    """The folder of a run to resume, its address, or last: it ends as if it had never been
    interrupted. Its options are the run's own; only those of its length, logs and folders may be
    given again."""

    seed: Annotated[int, Between(0, MAX_COUNT)] = 0
    """The seed of initial weights, data order, augmentation and dropout."""

    jit: Literal["auto", "on", "off"] = "auto"
    """Whether XLA compiles the training steps: auto where that is faster, on features and on a
    GPU; a step that it cannot compile then runs uncompiled."""

    strategy: Literal["auto", "one", "mirrored", "workers"] = "auto"
    """Where it trains: on one device; mirrored on all GPUs of this machine; workers on several
    machines, whose addresses TF_CONFIG or Slurm gives. auto is what is there."""

    devices: Annotated[int | None, Between(1, 64)] = None
    """How many devices mirrored takes; without GPUs so many parts of the processor, to try it."""

    dry_run: bool = False
    """Build everything, run one step and one batch of each evaluation, and write no run folder."""
