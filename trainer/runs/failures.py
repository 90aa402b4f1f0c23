"""How a run ends before its end: in one line, which says what is kept and how to go on."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator

import tensorflow as tf

from trainer.checkpoints.training_state import TrainingState
from trainer.config.config import Config
from trainer.core import signals
from trainer.core.errors import DivergedError, UserError
from trainer.core.run_folder import RunFolder
from trainer.runs.resume import resume_command


@contextlib.contextmanager
def report_resume_command(folder: RunFolder, config: Config) -> Iterator[None]:
    """A run that a signal ends tells what to type, wherever it was."""
    try:
        yield
    except signals.Interrupted as interrupted:
        if config.dry_run or not folder.config.exists():
            raise
        raise interrupted.with_text(f"; go on with: {resume_command(folder.path)}") from None


@contextlib.contextmanager
def report_last_checkpoint(state: TrainingState, folder: RunFolder) -> Iterator[None]:
    """Whatever ends training, the last line says from where it can go on."""
    try:
        with as_user_errors(folder):
            yield
    except UserError as error:
        if not folder.has_checkpoint:
            raise
        raise type(error)(f"{error}; {state.kept}; {_way_on(error, folder)}") from error


def _way_on(error: UserError, folder: RunFolder) -> str:
    if isinstance(error, DivergedError):  # which the same steps would do again
        return f"--init-from {shlex.quote(str(folder.path))} begins a new run with it"
    return f"to go on: {resume_command(folder.path)}"


@contextlib.contextmanager
def as_user_errors(folder: RunFolder) -> Iterator[None]:
    """While a run reads and writes, disks fill up and folders vanish; and memory ends."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where, why = error.filename or folder.path, error.strerror or error
        raise UserError(f"{where} cannot be read or written ({why}); mend that") from error
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            f"there is not enough memory ({error.message.splitlines()[0]}); a smaller --batch-size"
            " or --image-size takes less"
        ) from error
