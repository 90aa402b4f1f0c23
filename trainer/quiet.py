"""TensorFlow without the noise of its start-up, for the commands."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Import TensorFlow and Keras on it, silently; a TF_CPP_MIN_LOG_LEVEL of the user's stands."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    logging.getLogger("absl").setLevel(logging.ERROR)
    # tensorflow_hub 0.16 imports it, and setuptools tells every user so.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        import keras
    else:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        with _standard_error_off():
            import keras  # noqa: F401


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
