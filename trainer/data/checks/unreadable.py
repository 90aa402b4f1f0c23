"""Images that cannot be decoded: found, named in an error, or skipped by `--skip-bad-images`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from trainer.core.concurrency import usable_cores
from trainer.core.errors import UserError
from trainer.core.progress import progress_bar
from trainer.data.images.decoding import decode_error, short_message
from trainer.data.images.formats import MAX_PIXELS
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.selection import drop_examples
from trainer.data.splits import Source, Split

READABLE = f"decodes to its end, of at most {MAX_PIXELS} pixels, as TensorFlow {tf.__version__}"
"""Part of the cache's key: to be changed whenever other images count as readable."""

REMEDY = "fix or remove it, or skip all such images with --skip-bad-images"
"""What to do about an unreadable image."""

_READ_BATCH = 64
"""References in memory at once, each of which may be an encoded image."""


@contextlib.contextmanager
def report_unreadable_images(splits: Iterable[Split]) -> Iterator[None]:
    """While inside, a TensorFlow error caused by an undecodable image becomes one that names it.

    TensorFlow's error has the reason but not the file, so all images are then checked for it.

    Raises:
        UserError: naming the file and the reason.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError:  # no image's fault
        raise
    except tf.errors.OpError:
        for split in splits:
            _require_readable(split)
        raise


def unreadable_examples(split: Split, cache: JsonCache = NO_CACHE) -> dict[int, str]:
    """Position and error ("is empty") of each example that cannot be decoded; all are decoded.

    Raises:
        UserError: the split or a file cannot be read at all.
    """
    found = cache.get_or_compute([READABLE, split.fingerprint], lambda: _find_unreadable(split))
    return dict(found)


def decode_errors(split: Split) -> Iterator[str | None]:
    """What is wrong with each example in turn, None where it decodes; on all cores.

    Raises:
        UserError: the split or a file cannot be read at all. Unlike a bad image, that may pass.
    """
    numbered = split.references().map(lambda reference, _: reference).enumerate()
    with ThreadPoolExecutor(usable_cores()) as pool:
        try:
            for batch in numbered.batch(_READ_BATCH):
                yield from pool.map(functools.partial(_decode_error, split), *batch)
        except tf.errors.OpError as error:
            raise UserError(
                f"{split.name} cannot be read ({short_message(error)}); prepare it again"
            ) from error


def drop_unreadable(source: Source, cache: JsonCache = NO_CACHE) -> Source:
    """The source without its unreadable images, which are listed in `skipped`.

    Raises:
        UserError: nothing is left of a split.
    """
    splits, skipped = {}, dict(source.skipped)
    for name, split in source.splits.items():
        found = unreadable_examples(split, cache)
        skipped |= {split.describe(position): error for position, error in found.items()}
        splits[name] = drop_examples(split, sorted(found))
    return dataclasses.replace(source, splits=splits, skipped=skipped)


def skipped_images(source: Source) -> dict[str, Any]:
    """The entry of result.json about skipped images: how many, which, and why."""
    kind = "file" if source.kind in ("folder", "table") else "example"
    files = [{kind: where, "reason": why} for where, why in source.skipped.items()]
    return {"count": len(files), "files": files}


def skipped_message(skipped: Mapping[str, str]) -> str:
    """One line: how many images were skipped, and the first of them."""
    if not skipped:
        return "checked: every image can be read"
    where, why = next(iter(skipped.items()))
    images = "1 image" if len(skipped) == 1 else f"{len(skipped):,} images"
    return (
        f"skipped: {images} that cannot be read, such as {where}, which {why}; result.json lists"
        " all"
    )


def _require_readable(split: Split) -> None:
    for position, error in enumerate(decode_errors(split)):
        if error is not None:
            raise UserError(f"{split.describe(position)} {error}; {REMEDY}")


def _find_unreadable(split: Split) -> list[tuple[int, str]]:
    found = []
    with progress_bar("checking images", "images") as report:
        for position, error in enumerate(decode_errors(split)):
            report(position + 1, split.examples)
            if error is not None:
                found.append((position, error))
    return found


def _decode_error(split: Split, position: tf.Tensor, reference: tf.Tensor) -> str | None:
    try:
        encoded = split.read(reference)
    except tf.errors.OpError as error:
        where = split.describe(int(position))
        raise UserError(f"{where} cannot be read ({short_message(error)}); fix that") from error
    return decode_error(encoded)
