"""The learning rate range test of arXiv 1506.01186: which learning rates a model learns with."""

from __future__ import annotations

import csv
import dataclasses
import io
import logging
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainer.checkpoints.warm_start import CheckpointReader, warm_start
from trainer.config.config import Config
from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.loop.array_batches import ArrayBatches, epoch_rows
from trainer.loop.batches import Batches
from trainer.loop.inner_loop import LoopOutput
from trainer.loop.trainer import Hook, Trainer
from trainer.optimization.schedules import Exponential
from trainer.remote.runs import local_run
from trainer.report.figures.learning_rate import learning_rate_curve
from trainer.report.figures.style import as_png
from trainer.report.summaries import Summaries
from trainer.setup.batches import BatchFactory
from trainer.setup.data import load_data
from trainer.setup.plugins import find_task, load_trainer_class
from trainer.sweeping.folder import new_folder
from trainer.sweeping.plan import Plan
from trainer.sweeping.trials.folds import FoldBatches

logger = logging.getLogger(__name__)

FIRST, LAST = 1e-6, 1.0
"""The learning rates of the first and the last step."""

STEPS = 200

SMOOTHING = 0.9
"""The decay of the averaged loss."""

DIVERGED = 4.0
"""The curve ends where the averaged loss is so many times its least value."""

SETTLED = 10
"""Steps after which the average is one of enough losses."""


@dataclasses.dataclass(frozen=True)
class RangeTest:
    """The losses of steps with rising learning rates."""

    losses: np.ndarray
    """Of each step, up to where it diverged."""

    @property
    def learning_rates(self) -> np.ndarray:
        """Of each step."""
        return FIRST * (LAST / FIRST) ** (np.arange(len(self.losses)) / (STEPS - 1))

    @property
    def smoothed(self) -> np.ndarray:
        """The moving average of the losses, without its bias towards 0."""
        average, averages = 0.0, []
        for number, loss in enumerate(self.losses, start=1):
            average = SMOOTHING * average + (1 - SMOOTHING) * float(loss)
            averages.append(average / (1 - SMOOTHING**number))
        return np.array(averages)

    @property
    def suggestion(self) -> float | None:
        """The learning rate at which the averaged loss falls the fastest; None if nowhere."""
        smoothed = self.smoothed
        lowest = int(np.argmin(smoothed))
        if lowest <= SETTLED:
            return None
        slopes = np.gradient(smoothed[: lowest + 1])[SETTLED:]
        steepest = int(np.argmin(slopes)) + SETTLED
        return float(self.learning_rates[steepest]) if slopes.min() < 0 else None


def find_learning_rate(plan: Plan) -> dict[str, Any]:
    """Run the test, draw its curve, and log what it suggests.

    Returns:
        The folder, and the learning rate that is suggested.

    Raises:
        UserError: what a person can fix; then there is no folder.
    """
    config = plan.config
    test = RangeTest(_before_divergence(_losses(config)))
    folder = new_folder(config, "learning-rate")
    _write(folder, test)
    suggested = test.suggestion
    if suggested is None:
        logger.info("the loss falls at no learning rate; %s shows it", folder)
    else:
        logger.info(
            "the loss falls the fastest at --learning-rate %.1e; %s shows it",
            *(suggested, shlex.quote(str(folder / "learning_rate.png"))),
        )
    return {"folder": str(folder), "learning_rate": suggested}


class KeepLosses(Hook):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        """None yet."""
        self.losses: list[float] = []

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:  # noqa: ARG002
        """Keep those of a call."""
        self.losses += output.values["loss"].tolist()


class InOneCall(FoldBatches):
    """The batches of the first epochs, one behind the other, so that one call takes all steps."""

    def __init__(self, batches: ArrayBatches, seed: int) -> None:
        """Of STEPS steps.

        Args:
            batches: Of the train split.
            seed: Of the order in each epoch.
        """
        rows = STEPS * batches.batch_size
        epochs = range(math.ceil(rows / batches.examples))
        orders = [epoch_rows(batches, seed, epoch)[0] for epoch in epochs]
        super().__init__(batches, np.concatenate(orders)[:rows])

    def make_iterator(self, epoch: int | None, first: int = 0) -> Any:  # noqa: ARG002
        """The rows as they are."""
        return super().make_iterator(None)


def _losses(config: Config) -> np.ndarray:
    config = dataclasses.replace(
        config,
        epochs=1,
        steps_per_epoch=STEPS,
        validation_steps=1,
        schedule="constant",
        warmup="0",
        warmup_epochs=0,
        accumulate=1,
    )
    task = find_task(config.task)
    source = load_data(task, config).source
    factory = BatchFactory(config, task.channels)
    batches: dict[str, Batches] = dict(factory.batches(source))
    train = batches["train"]
    if isinstance(train, ArrayBatches):
        batches["train"] = InOneCall(train, config.seed)
    run = None if config.init_from is None else local_run(config.init_from, config.cache_folder)
    reader = None if run is None else CheckpointReader(run)

    def start(model: keras.Model) -> None:
        if reader is not None:
            warm_start(model, reader, task.freeze_on_init)

    trainer_class = _with_rising_learning_rate(load_trainer_class(config.trainer))
    trainer = trainer_class(task, config, source.classes, batches, factory.layer, start)
    kept = KeepLosses()
    trainer.fit([kept])
    return np.array(kept.losses)


def _with_rising_learning_rate(trainer_class: type[Trainer]) -> type[Trainer]:
    class RangeTestTrainer(trainer_class):  # type: ignore[misc, valid-type]
        def build_optimizer(self) -> keras.optimizers.Optimizer:
            optimizer = super().build_optimizer()
            optimizer.learning_rate = Exponential(FIRST, STEPS - 1, LAST / FIRST)
            return optimizer

    return RangeTestTrainer


def _before_divergence(losses: np.ndarray) -> np.ndarray:
    """The losses up to where they are not finite, or their average is far above its least.

    Raises:
        UserError: they are so from the start.
    """
    infinite = np.flatnonzero(~np.isfinite(losses))
    finite = losses[: infinite[0]] if infinite.size else losses
    smoothed = RangeTest(finite).smoothed
    bound = DIVERGED * np.abs(np.minimum.accumulate(smoothed)) if len(finite) else smoothed
    above = np.flatnonzero(smoothed > bound)
    kept = finite[: above[0] + 1] if above.size else finite
    if len(kept) <= SETTLED:
        raise UserError(
            "the loss is not finite within the first steps, at a learning rate of 1e-6; look at the"
            " data and the loss"
        )
    return kept


def _write(folder: Path, test: RangeTest) -> None:
    columns: Mapping[str, np.ndarray] = {
        "learning_rate": test.learning_rates,
        "loss": test.losses,
        "smoothed_loss": test.smoothed,
    }
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    atomic.write_text(folder / "learning_rate.csv", text.getvalue())
    curve = learning_rate_curve(test.learning_rates, test.losses, test.smoothed, test.suggestion)
    png = as_png(curve)
    atomic.write_bytes(folder / "learning_rate.png", png)
    summaries = Summaries(folder)
    summaries.write_image("train", 0, "learning_rate_range", png)
    summaries.flush()
