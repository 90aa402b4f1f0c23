"""What checkpoints cost where nobody says how often they are kept: the head's training, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.head import BATCH, CLASSES, EXAMPLES, STEPS, WIDTH
from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians, warmed_up
from tasks.flowers import Flowers
from trainer import Config, Trainer
from trainer.checkpoints.training_state import TrainingState
from trainer.core.run_folder import RunFolder
from trainer.features.features import Features
from trainer.hooks.standard import SHARE_FOR_CHECKPOINTS, Hook, SaveCheckpoints
from trainer.loop.batches import FeatureBatches
from trainer.loop.triggers import EverySeconds, TimeBudget
from trainer.report.clock import Clock

EPOCHS, ROUNDS = 150, 3
WITHOUT, BY_DEFAULT = "without checkpoints", "as often as by default"
SHARE = "% of the time for checkpoints"


class Glance:
    """Ends spans as often as the progress line does."""

    def __init__(self) -> None:
        """Four times a second."""
        self.when = EverySeconds(0.25)

    def __call__(self, trainer: Trainer, span: object) -> None:
        """Nothing: the line itself takes no part in this."""


class Stopwatch:
    """How long something has taken in all."""

    def __init__(self, action: Callable[[], None]) -> None:
        """Nothing so far."""
        self._action, self.seconds, self.times = action, 0.0, 0

    def __call__(self) -> None:
        """Do it once more."""
        began = time.perf_counter()
        self._action()
        self.seconds += time.perf_counter() - began
        self.times += 1


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Training with and without them; a run is about ten seconds of steps."""
    trainer = _trainer()
    run = RunFolder(folders.scratch)
    run.checkpoints.mkdir()
    state = TrainingState(trainer, run, Clock(), {})
    runs = {
        WITHOUT: lambda: _measured(trainer, None),
        BY_DEFAULT: lambda: _measured(trainer, Stopwatch(state.save)),
    }
    return warmed_up([Contestant(name, run, ROUNDS) for name, run in runs.items()])


def claims(medians: Medians) -> Sequence[Claim]:
    """How much of the time they take."""
    return [Claim("share of the time, %", medians[BY_DEFAULT][SHARE], at_most=2.0)]


def _trainer() -> Trainer:
    random = np.random.default_rng(0)
    vectors = random.random((EXAMPLES, WIDTH), np.float32)
    features = Features(vectors, random.integers(0, CLASSES, EXAMPLES, np.int32))
    batches = FeatureBatches(features, BATCH, seed=0)
    names = [str(number) for number in range(CLASSES)]
    config = Config(epochs=EPOCHS, batch_size=BATCH)
    return Trainer(Flowers(), config, names, {"train": batches, "validation": batches})


def _measured(trainer: Trainer, saving: Stopwatch | None) -> Measures:
    hooks: list[Hook] = [Glance()]
    if saving is not None:
        when = TimeBudget(SHARE_FOR_CHECKPOINTS, trainer)
        hooks.append(SaveCheckpoints(when, when.timed(saving)))
    trainer.step = 0
    began = time.perf_counter()
    trainer.fit(hooks)
    seconds = time.perf_counter() - began
    measures = {"ms a step": seconds / (EPOCHS * STEPS) * 1e3}
    if saving is None:
        return measures
    return {
        **measures,
        "ms a checkpoint": saving.seconds / saving.times * 1e3,
        SHARE: 100 * saving.seconds / seconds,
    }
