"""TensorFlow without the noise of its start-up, for the commands."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import warnings
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Import TensorFlow and Keras on it, silently; a TF_CPP_MIN_LOG_LEVEL of the user's stands."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    logging.getLogger("absl").setLevel(logging.ERROR)
    # It warns of retracing where several graphs come from one line; `TracedOnce` knows better.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # tensorflow_hub 0.16 imports it, and setuptools tells every user so.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    logs_as_asked = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.nullcontext() if logs_as_asked else _standard_error_off(), _kept_for_good():
        import keras  # noqa: F401


@contextlib.contextmanager
def _kept_for_good() -> Iterator[None]:
    """What is made inside stays until the end of the process, and the garbage collector knows it.

    It would look through a million objects again and again otherwise, for half a second at the
    end alone.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _standard_error_off() -> Iterator[None]:
    """The library's loading logs to the process's standard error before it reads any setting."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
