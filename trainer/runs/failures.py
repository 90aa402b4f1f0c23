"""How a run ends early: in one line, which says what is saved and how to resume."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator

import tensorflow as tf

from trainer.checkpoints.training_state import TrainingState
from trainer.config.config import Config
from trainer.core import signals
from trainer.core.errors import DivergedError, LostWorkerError, UserError
from trainer.core.run_folder import RunFolder
from trainer.core.text import first_line
from trainer.distribution.workers import Workers
from trainer.setup.resume import resume_command


@contextlib.contextmanager
def report_resume_command(folder: RunFolder, config: Config) -> Iterator[None]:
    """When a signal ends a run, wherever it is, its text says how to resume."""
    try:
        yield
    except signals.Interrupted as interrupted:
        if config.dry_run or not folder.config.exists():
            raise
        command = resume_command(folder.path, config)
        raise interrupted.with_text(f"; resume with: {command}") from None


@contextlib.contextmanager
def report_last_checkpoint(
    state: TrainingState, folder: RunFolder, config: Config
) -> Iterator[None]:
    """When an error ends training, its line says what is saved and how to resume."""
    try:
        with as_user_errors(folder):
            yield
    except UserError as error:
        if not folder.has_checkpoint:
            raise
        raise type(error)(f"{error}; {state.saved}; {_remedy(error, folder, config)}") from error


def _remedy(error: UserError, folder: RunFolder, config: Config) -> str:
    if isinstance(error, DivergedError):  # the same steps would diverge again
        return f"--init-from {shlex.quote(str(folder.path))} starts a new run from its weights"
    return f"resume with: {resume_command(folder.path, config)}"


LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)
"""What TensorFlow raises where an exchange with another worker fails."""


@contextlib.contextmanager
def report_lost_worker(folder: RunFolder, config: Config, workers: Workers) -> Iterator[None]:
    """When another worker has ended or hangs, one line says so, and how the run is resumed.

    Raises:
        LostWorkerError: in place of what TensorFlow raises then.
    """
    try:
        yield
    except LOST as error:
        if workers.count == 1:
            raise
        then = "start it again"
        if folder.has_checkpoint:
            then = f"resume it on every worker with: {resume_command(folder.path, config)}"
        raise LostWorkerError(
            f"worker {workers.number} of {workers.count} does not reach the others: one of them has"
            f" ended or hangs; {then}"
        ) from error


@contextlib.contextmanager
def as_user_errors(folder: RunFolder) -> Iterator[None]:
    """Disks that fill up, folders that vanish and memory that runs out become a line each.

    Raises:
        UserError: naming the file, or the options that need less memory.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where, why = error.filename or folder.path, error.strerror or error
        raise UserError(f"{where} cannot be read or written ({why}); fix that") from error
    except tf.errors.FailedPreconditionError as error:
        count = re.search(r"expected to contain (\d+) elements? but .* (\d+) element", str(error))
        if count is None:
            raise
        raise UserError(
            f"a pipeline of the task's data() gives {count[2]} examples or more in an epoch, and"
            f" its DataPipeline has examples={count[1]}; correct one of them"
        ) from error
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            f"there is not enough memory ({first_line(error)}); choose a smaller --batch-size or"
            " --image-size"
        ) from error
