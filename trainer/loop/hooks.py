"""What happens between spans of steps: one behaviour a hook, each with its own time."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trainer import durations
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.history import EpochRecord, best_record
from trainer.loop.schedules import rate_after
from trainer.loop.spans import Span
from trainer.loop.stopping import stops_after_epochs, stops_within_epochs
from trainer.loop.triggers import (
    AboutEvery,
    EverySpan,
    EverySteps,
    EveryStepsAndAtTheEnd,
    Trigger,
)
from trainer.report.progress import Bar, Display, in_words
from trainer.report.result import write_history
from trainer.report.summaries import Summaries
from trainer.run_folder import RunFolder

if TYPE_CHECKING:
    from trainer.loop.trainer import Trainer

GLANCE_SECONDS = 0.25
"""How long the progress line may stand still."""


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
        metrics = {"train": trainer.train_metrics.result()}
        trainer.train_metrics.reset()
        metrics["validation"] = trainer.evaluate("validation")
        epoch = -(-trainer.step // trainer.steps_per_epoch)  # one that was cut short has a number
        trainer.history.append(EpochRecord(epoch, trainer.step, trainer.learning_rate, metrics))


class Summarise:
    """TensorBoard: what steps returned at every so many, and the metrics of every epoch."""

    def __init__(self, summaries: Summaries, every: int) -> None:
        """After each span, whose steps it looks through."""
        self.when = EverySpan()
        self._summaries = summaries
        self._points = EverySteps(every)

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Of the last step of an epoch there is a point always, beside validation's."""
        closed = [record for record in trainer.history[-1:] if record.step == span.last]
        for step in range(span.first + 1, span.last + 1):
            if self._points.due(step) or (closed and step == span.last):
                self._write_step(trainer, span, step)
        for record in closed:
            self._write_epoch(record, span)
        self._summaries.flush()

    def _write_step(self, trainer: Trainer, span: Span, step: int) -> None:
        returned = {name: values[step - span.first - 1] for name, values in span.values.items()}
        speed = {
            "learning_rate": rate_after(trainer.optimizer, step),
            "images_per_second": span.examples_per_second,
        }
        self._summaries.write("train", step, {**returned, **speed})

    def _write_epoch(self, record: EpochRecord, span: Span) -> None:
        # What steps return has its points already: an epoch's mean is no value of that step.
        streamed = {k: v for k, v in record.metrics["train"].items() if k not in span.values}
        self._summaries.write("train", record.step, streamed)
        self._summaries.write("validation", record.step, record.metrics["validation"])


@dataclasses.dataclass(frozen=True)
class KeepHistory:
    """history.csv, written anew with every epoch."""

    when: Trigger
    path: Path

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """All epochs so far."""
        write_history(self.path, [record.as_row() for record in trainer.history])


@dataclasses.dataclass(frozen=True)
class SaveCheckpoints:
    """The last three checkpoints."""

    when: Trigger
    checkpoints: Checkpoints

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after whatever changes the trainer's state."""
        self.checkpoints.save()


@dataclasses.dataclass(frozen=True)
class SaveBest:
    """The best checkpoint by validation."""

    when: Trigger
    checkpoints: Checkpoints

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come after whatever changes the trainer's state."""
        if trainer.history[-1] is best_record(trainer.history):
            self.checkpoints.save_best()


class ShowProgress:
    """The live line: where training is, how well it does, how fast it goes."""

    def __init__(self, bar: Bar) -> None:
        """As often as an eye needs it."""
        self.when = AboutEvery(GLANCE_SECONDS)
        self._bar = bar

    def __call__(self, trainer: Trainer, span: Span) -> None:
        """Must come before the epoch's metrics are reset."""
        self.when.measured(span.steps, span.seconds)
        metrics = in_words(trainer.train_metrics.result())
        speed = f"{span.examples_per_second:,.0f} images/s"
        self._bar(span.last, trainer.total_steps, f"{metrics}  {speed}")


@dataclasses.dataclass(frozen=True)
class TellEpoch:
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
    trainer: Trainer, folder: RunFolder, checkpoints: Checkpoints, display: Display, bar: Bar
) -> list[Hook]:
    """What every run does, in the order in which each needs what those before it did.

    Raises:
        UserError: the run is to stop at a metric that there is not.
    """
    each_epoch = EveryStepsAndAtTheEnd(trainer.steps_per_epoch, trainer)
    return [
        ShowProgress(bar),
        *stops_within_epochs(trainer),
        Evaluate(each_epoch),
        *stops_after_epochs(trainer, each_epoch),
        TellEpoch(each_epoch, display),
        Summarise(Summaries(folder.path), trainer.config.log_every),
        KeepHistory(each_epoch, folder.history),
        SaveCheckpoints(_checkpointing(trainer), checkpoints),
        SaveBest(each_epoch, checkpoints),
    ]


def _checkpointing(trainer: Trainer) -> Trigger:
    every = durations.steps(
        "--checkpoint-every",
        trainer.config.checkpoint_every,
        steps_per_epoch=trainer.steps_per_epoch,
        total_steps=trainer.total_steps,
        batch_size=trainer.config.batch_size,
    )
    return EveryStepsAndAtTheEnd(every, trainer)
