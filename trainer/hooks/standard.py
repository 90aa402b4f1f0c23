"""The hooks of every run."""

from __future__ import annotations

from collections.abc import Iterator

from trainer.checkpoints.best_weights import BestWeights
from trainer.config.config import Config
from trainer.core.progress import Progress
from trainer.core.run_folder import RunFolder
from trainer.hooks.csv_logger import CSVLogger
from trainer.hooks.early_stopping import EarlyStopping
from trainer.hooks.histograms import WriteHistograms
from trainer.hooks.limits import MaxMinutes, StopAfterOneStep
from trainer.hooks.profile import Profile
from trainer.hooks.progress import LogEpoch, ShowProgress
from trainer.hooks.reduce_on_plateau import ReduceOnPlateau
from trainer.hooks.stop_at import StopAt
from trainer.hooks.tensorboard import TensorBoardScalars
from trainer.hooks.terminate_on_nan import TerminateOnNaN
from trainer.hooks.track_best import TrackBest
from trainer.loop.trainer import Hook, Trainer
from trainer.report.clock import Clock
from trainer.report.summaries import Summaries


def standard_hooks(
    trainer: Trainer,
    best: BestWeights,
    folder: RunFolder,
    summaries: Summaries,
    clock: Clock,
    report: Progress,
) -> list[Hook]:
    """What every run does besides training; a user's hooks come behind them.

    Raises:
        UserError: the run is to stop at a metric that does not exist.
    """
    return [
        ShowProgress(report),
        TensorBoardScalars(summaries, trainer.config.log_every),
        TerminateOnNaN(),  # behind the curves, which show why, and before the rest
        LogEpoch(),
        CSVLogger(folder.history),
        TrackBest(best),
        *_logging_hooks(trainer.config, folder, summaries),
        *control_hooks(trainer, clock),
    ]


def control_hooks(trainer: Trainer, clock: Clock) -> list[Hook]:
    """Of these the hooks that stop training early, or change its learning rate.

    Raises:
        UserError: the run is to stop at a metric that does not exist.
    """
    return [*_stopping_hooks(trainer, clock), *_learning_rate_hooks(trainer.config)]


def _logging_hooks(config: Config, folder: RunFolder, summaries: Summaries) -> Iterator[Hook]:
    if config.histograms:
        yield WriteHistograms(summaries)
    if config.profile is not None:
        yield Profile(folder.path, *map(int, config.profile.split(":")))


def _learning_rate_hooks(config: Config) -> Iterator[Hook]:
    if config.schedule == "plateau":
        yield ReduceOnPlateau(config.plateau_epochs)


def _stopping_hooks(trainer: Trainer, clock: Clock) -> Iterator[Hook]:
    config = trainer.config
    if config.dry_run:
        yield StopAfterOneStep()
    if config.max_minutes is not None:
        yield MaxMinutes(config.max_minutes, clock)
    if config.stop_at:
        yield StopAt(trainer, config.stop_at)
    if config.patience is not None:
        yield EarlyStopping(config.patience)
