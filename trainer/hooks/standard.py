"""What happens between spans of steps: one behaviour a hook, each with its own time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trainer.checkpoints.best_weights import BestWeights
from trainer.checkpoints.training_state import TrainingState
from trainer.config import durations
from trainer.core import signals
from trainer.core.run_folder import RunFolder
from trainer.hooks.early_stopping import stops_after_epochs, stops_within_epochs
from trainer.hooks.terminate_on_nan import TerminateOnNaN, require_finite_loss
from trainer.loop.history import EpochRecord, best_record
from trainer.loop.inner_loop import Span
from trainer.loop.triggers import (
    EverySeconds,
    EverySpan,
    EverySteps,
    EveryStepsAndAtTheEnd,
    TimeBudget,
    Trigger,
)
from trainer.optimization.ema import averaged
from trainer.optimization.schedules import rate_after
from trainer.report.clock import Clock
from trainer.report.progress import Bar, Display, in_words
from trainer.report.result import write_history
from trainer.report.summaries import Summaries

if TYPE_CHECKING:
    from trainer.loop.trainer import Trainer

GLANCE_SECONDS = 0.25
"""How long the progress line may stand still."""

SHARE_FOR_CHECKPOINTS = 0.015
"""Of all time, where nobody says how often they are kept: below 2 % even if some take longer."""


class Hook(Protocol):
    """Speaks between spans of steps.

    ```python
    class Halve:
        when = EverySteps(1000)

        def __call__(self, trainer, span):
            trainer.optimizer.learning_rate.assign(trainer.optimizer.learning_rate / 2)
    ```
    """

    @property
    def when(self) -> Trigger:
        """When it wants a word."""

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Act on the trainer, which has just run the span."""


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Close an epoch: its training metrics and validation become a record of the history."""

    when: Trigger

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come before the hooks that read the history."""
        # Asked to end in here, a run keeps what was before, and a resumed one validates anew.
        validation = trainer.evaluate("validation")
        require_finite_loss(validation, "validation", trainer.step)
        metrics = {"train": trainer.train_metrics.result(), "validation": validation}
        trainer.train_metrics.reset()
        epoch = -(-trainer.step // trainer.steps_per_epoch)  # one that was cut short has a number
        trainer.history.append(EpochRecord(epoch, trainer.step, trainer.learning_rate, metrics))


class TensorBoardScalars:
    """TensorBoard: what steps returned, at every so many and at the end of every epoch."""

    def __init__(self, summaries: Summaries, every: int, each_epoch: Trigger) -> None:
        """After each span, whose steps it looks through."""
        self.when = EverySpan()
        self._summaries = summaries
        self._points, self._each_epoch = EverySteps(every), each_epoch

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Of the last step of an epoch there is a point always, beside validation's."""
        for step in range(span.first + 1, span.last + 1):
            closes = step == span.last and self._each_epoch.due(step)
            if closes or self._points.due(step):
                self._write_step(trainer, span, step)
        self._summaries.flush()

    def _write_step(self, trainer: Trainer, span: Span, step: int) -> None:
        returned = {name: values[step - span.first - 1] for name, values in span.values.items()}
        speed = {
            "learning_rate": rate_after(trainer.optimizer, step),
            "images_per_second": span.examples_per_second,
        }
        self._summaries.write("train", step, {**returned, **speed})


@dataclasses.dataclass(frozen=True)
class SummariseEpoch:
    """TensorBoard: the metrics of an epoch."""

    when: Trigger
    summaries: Summaries

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after the record of the epoch."""
        record = trainer.history[-1]
        # What steps return has its points already: an epoch's mean is no value of that step.
        streamed = {
            name: value
            for name, value in record.metrics["train"].items()
            if name not in trainer.train_metrics.of_steps
        }
        self.summaries.write("train", record.step, streamed)
        self.summaries.write("validation", record.step, record.metrics["validation"])
        self.summaries.flush()


@dataclasses.dataclass(frozen=True)
class CSVLogger:
    """history.csv, written anew with every epoch."""

    when: Trigger
    path: Path

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """All epochs so far."""
        write_history(self.path, [record.as_row() for record in trainer.history])


@dataclasses.dataclass(frozen=True)
class TrackBest:
    """The best weights by validation: as evaluated, averaged where the optimizer averages."""

    when: Trigger
    best: BestWeights

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after the record of the epoch."""
        if trainer.history[-1] is best_record(trainer.history):
            with averaged(trainer.model, trainer.optimizer):
                self.best.keep()


@dataclasses.dataclass(frozen=True)
class SaveCheckpoints:
    """All that training goes on from, on the disk."""

    when: Trigger
    save: Callable[[], None]

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after whatever changes the trainer's state."""
        self.save()


class StopOnSignal:
    """Ctrl-C and SIGTERM end training here, where all that belongs to a step is done."""

    when = EverySpan()

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come last."""
        signals.check_interrupt()


class ShowProgress:
    """The live line: where training is, how well it does, how fast it goes."""

    def __init__(self, bar: Bar) -> None:
        """As often as an eye needs it."""
        self.when = EverySeconds(GLANCE_SECONDS)
        self._bar = bar

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come before the epoch's metrics are reset."""
        self.when.measured(span.steps, span.seconds)
        metrics = in_words(trainer.train_metrics.result())
        speed = f"{span.examples_per_second:,.0f} images/s"
        self._bar(span.last, trainer.total_steps, f"{metrics}  {speed}")


@dataclasses.dataclass(frozen=True)
class LogEpoch:
    """A line an epoch."""

    when: Trigger
    display: Display

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Training beside validation."""
        record, epochs = trainer.history[-1], trainer.config.epochs
        splits = (f"{split} {in_words(metrics)}" for split, metrics in record.metrics.items())
        number = f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  step {record.step}"
        self.display.say("  ".join([number, *splits]))


def standard_hooks(
    trainer: Trainer, state: TrainingState, run: RunFolder, clock: Clock, display: Display, bar: Bar
) -> list[Hook]:
    """What every run does, in the order in which each needs what those before it did.

    Raises:
        UserError: the run is to stop at a metric that there is not.
    """
    each_epoch = EveryStepsAndAtTheEnd(trainer.steps_per_epoch, trainer)
    summaries = Summaries(run.path)
    return [
        ShowProgress(bar),
        *stops_within_epochs(trainer, clock),
        TensorBoardScalars(summaries, trainer.config.log_every, each_epoch),
        TerminateOnNaN(),
        Evaluate(each_epoch),
        *stops_after_epochs(trainer, each_epoch),
        LogEpoch(each_epoch, display),
        SummariseEpoch(each_epoch, summaries),
        CSVLogger(each_epoch, run.history),
        TrackBest(each_epoch, state.best),
        _checkpointing(trainer, state),
        StopOnSignal(),
    ]


def _checkpointing(trainer: Trainer, state: TrainingState) -> SaveCheckpoints:
    if trainer.config.checkpoint_every == "auto":
        when = TimeBudget(SHARE_FOR_CHECKPOINTS, trainer)
        return SaveCheckpoints(when, when.timed(state.save))
    every = durations.steps(
        "--checkpoint-every",
        trainer.config.checkpoint_every,
        steps_per_epoch=trainer.steps_per_epoch,
        total_steps=trainer.total_steps,
        batch_size=trainer.config.batch_size,
    )
    return SaveCheckpoints(EveryStepsAndAtTheEnd(every, trainer), state.save)
