"""The import of TensorFlow, without what it prints."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from trainer.core import signals

logger = logging.getLogger(__name__)


@functools.cache
def import_tensorflow() -> None:
    """Import TensorFlow, and Keras on it, silently unless the user has set TF_CPP_MIN_LOG_LEVEL.

    A later call does nothing.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    logging.getLogger("absl").setLevel(logging.ERROR)
    logging.getLogger("absl").addFilter(_is_error)  # saving a SavedModel sets the level back
    logging.getLogger("tensorflow").addFilter(_is_no_warning_of_retracing)
    # tensorflow_hub 0.16 imports it, and setuptools warns every user.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    logs_as_asked = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    quietly = contextlib.nullcontext() if logs_as_asked else _standard_error_off()
    # An exception within would crash some of its C++ code, and be lost in its Python code.
    with signals.exit_immediately(), quietly, _frozen_for_garbage_collector():
        import keras  # noqa: F401


def prefer_onednn() -> None:
    """Have TensorFlow compute with oneDNN, unless the user has set TF_ENABLE_ONEDNN_OPTS.

    By itself it does so only where the processor has AVX512-VNNI or the like. On other x86
    processors it is worth a factor of two. TensorFlow reads the variable when it is imported: where
    that was before, and without oneDNN, a warning is logged.
    """
    if "TF_ENABLE_ONEDNN_OPTS" in os.environ:
        return
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    if "tensorflow" in sys.modules and not onednn_enabled():
        logger.warning(
            "tensorflow was imported before trainer, so without oneDNN, which is twice as fast on"
            " this processor: import trainer first, or set TF_ENABLE_ONEDNN_OPTS"
        )


def onednn_enabled() -> bool:
    """Whether TensorFlow, which this imports, computes with oneDNN: results differ in last bits.

    TensorFlow decides it once, when it is imported, by the processor and TF_ENABLE_ONEDNN_OPTS.
    """
    from tensorflow.python.util import _pywrap_util_port  # it has no public name

    return bool(_pywrap_util_port.IsMklEnabled())


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _is_no_warning_of_retracing(record: logging.LogRecord) -> bool:
    """TensorFlow warns where several graphs come from one line, too; `TracedOnce` is exact."""
    return "triggered tf.function retracing" not in record.getMessage()


@contextlib.contextmanager
def _frozen_for_garbage_collector() -> Iterator[None]:
    """What is made inside is left out by the garbage collector: it stays until the process ends.

    Otherwise the collector would traverse all of it again and again, and once more at the end.
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
