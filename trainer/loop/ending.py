"""How a run ends before its end: in one line, which says what is kept and how to go on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from trainer import signals
from trainer.config import Config
from trainer.errors import UserError
from trainer.loop.training_state import TrainingState
from trainer.resumed import resume_command
from trainer.run_folder import RunFolder


@contextlib.contextmanager
def telling_how_to_go_on(folder: RunFolder, config: Config) -> Iterator[None]:
    """A run that a signal ends tells what to type, wherever it was."""
    try:
        yield
    except signals.Interrupted as interrupted:
        if config.dry_run:
            raise
        raise interrupted.with_text(f"; go on with: {resume_command(folder.path)}") from None


@contextlib.contextmanager
def telling_what_is_kept(state: TrainingState, folder: RunFolder) -> Iterator[None]:
    """Whatever ends training, the last line says from where it can go on."""
    try:
        with naming_what_fails(folder):
            yield
    except UserError as error:
        if not folder.goes_on:
            raise
        told = f"{error}; {state.kept}; to go on: {resume_command(folder.path)}"
        raise type(error)(told) from error


@contextlib.contextmanager
def naming_what_fails(folder: RunFolder) -> Iterator[None]:
    """While a run reads and writes, disks fill up and folders vanish."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where, why = error.filename or folder.path, error.strerror or error
        raise UserError(f"{where} cannot be read or written ({why}); mend that") from error
