"""Where hub modules come from: folders, URLs, Kaggle, and weights that an extra installs."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import file_sha256, fingerprint
from trainer.core.text import first_line
from trainer.extractors.efficientnet_lite.weights import WEIGHTS, build_module
from trainer.extractors.names import KAGGLE, module_handles

TENSORFLOW_2 = "tensorflow2"
"""What Kaggle calls modules for it, in any case."""

_LOAD_ERRORS = (OSError, ValueError, IndexError, tf.errors.OpError)


def load_module(network: str, **layer: Any) -> Any:
    """A module as a hub.KerasLayer.

    Args:
        network: A known name, a hub URL, a handle on Kaggle or a local folder.
        layer: Arguments of hub.KerasLayer.

    Raises:
        UserError: no such module, or it cannot be loaded.
    """
    source = build_module(network) if _is_built(network) else str(_module_folder(network))
    import tensorflow_hub as hub

    with _load_errors_as_user_errors(network):
        return hub.KerasLayer(source, **layer)


def module_fingerprint(network: str) -> str:
    """SHA-256 of the names and contents of a module's files, which are not loaded.

    Raises:
        UserError: no such module, or its URL cannot be resolved.
    """
    if _is_built(network):
        return fingerprint([network, WEIGHTS[network].sha256])
    folder = _module_folder(network)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return fingerprint([[str(path.relative_to(folder)), file_sha256(path)] for path in files])


def _is_built(network: str) -> bool:
    return not network.startswith(KAGGLE) and not module_handles(network)


def _module_folder(network: str) -> Path:
    """The folder of a module, which is downloaded unless it is cached."""
    if network.startswith(KAGGLE):
        return _kaggle_folder(network)
    handles = module_handles(network)
    if "://" not in handles[0]:
        return Path(handles[0])
    cached = (_hub_cache_folder(url) for url in handles)
    return next((folder for folder in cached if folder.is_dir()), None) or _download(
        network, handles
    )


def _hub_cache_folder(url: str) -> Path:
    """Where tensorflow_hub, slow to import, caches the module of a URL."""
    cache = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules")
    return Path(cache, hashlib.sha1(url.encode()).hexdigest())


def _download(network: str, urls: Sequence[str]) -> Path:
    """The folder of a module from the first URL that has it."""
    import tensorflow_hub as hub

    problems = []
    for url in urls:
        try:
            return Path(hub.resolve(url))
        except _LOAD_ERRORS as error:
            where = "" if url == network else f"{url}: "
            problems.append(f"{where}{first_line(error)}")
    raise _load_error(network, "; ".join(problems))


def _kaggle_folder(network: str) -> Path:
    """The folder of a module by its handle, from the cache of kagglehub or downloaded."""
    try:
        import kagglehub  # the extra "kaggle"
    except ImportError as error:
        raise UserError(
            f"--extractor {network} needs kagglehub; pip install 'tf-trainer[kaggle]' brings it"
        ) from error
    # It prints to standard output, where --json is alone.
    logging.getLogger("kagglehub").setLevel(logging.WARNING)
    handle = network.removeprefix(KAGGLE)
    if TENSORFLOW_2 not in handle.lower().split("/")[2:3]:
        raise UserError(
            f"--extractor {network} is no module of TensorFlow 2; write"
            f" {KAGGLE}OWNER/MODEL/tensorFlow2/VARIATION/VERSION"
        )
    try:
        return Path(kagglehub.model_download(handle))
    except (*_LOAD_ERRORS, *_kaggle_errors(), tarfile.TarError, zipfile.BadZipFile) as error:
        raise UserError(
            f"--extractor {network} cannot be downloaded ({first_line(error)}); add its VERSION,"
            " with which it is found in the cache of kagglehub, or choose another --extractor"
        ) from error


def _kaggle_errors() -> tuple[type[Exception], ...]:
    from kagglehub import exceptions

    return (
        exceptions.BackendError,
        exceptions.CredentialError,
        exceptions.DataCorruptionError,
        exceptions.NotFoundError,
        exceptions.UnauthenticatedError,
    )


@contextlib.contextmanager
def _load_errors_as_user_errors(network: str) -> Iterator[None]:
    """Inside, errors of loading a module become a UserError about `--extractor`."""
    try:
        yield
    except _LOAD_ERRORS as error:
        raise _load_error(network, first_line(error)) from error


def _load_error(network: str, problem: str) -> UserError:
    remedy = (
        "it must be the folder of a TF2 SavedModel (saved_model.pb)"
        if Path(network).is_dir()
        else "put the module into the cache of tensorflow_hub (TFHUB_CACHE_DIR), or choose the"
        " embedded efficientnet_lite0"
    )
    return UserError(f"--extractor {network} cannot be loaded ({problem}); {remedy}")
