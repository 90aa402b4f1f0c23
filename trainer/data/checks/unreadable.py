"""Images that cannot be read: found by decoding every one, named, and left out if so asked."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.data.images.decoding import decode_error, reason
from trainer.data.images.formats import MOST_PIXELS
from trainer.data.readers.json_cache import keep, kept
from trainer.data.selection import without
from trainer.data.splits import Source, Split

READABLE = f"decodes to its end, of at most {MOST_PIXELS} pixels, as TensorFlow {tf.__version__}"
"""What a readable image is, in words: changed whenever others are."""

REMEDY = "mend it or take it away, or leave all such out by --skip-bad-images"
"""What to do about an image that cannot be read."""

_READ_TOGETHER = 64
"""References in memory at once, each of which may be an encoded image."""


def unreadable_examples(
    split: Split, checking: Callable[[int, int], None], memory: Path | None = None
) -> dict[int, str]:
    """What is wrong with examples, by their positions: "is empty". All are decoded for that.

    It is kept in a folder, and found again there as long as the split is the same.

    Args:
        split: The examples.
        checking: Is told how many are done, and of how many.
        memory: The folder, if it is to be kept.

    Raises:
        UserError: the split itself, or a file, gives no bytes.
    """
    place = memory and memory / f"{fingerprint([READABLE, split.fingerprint])}.json"
    told = kept(place) if place else None
    if told is None:
        told = []
        for position, why in enumerate(examined(split)):
            checking(position + 1, split.examples)
            if why is not None:
                told.append([position, why])
        if place:
            keep(place, told)
    return dict(told)


def examined(split: Split) -> Iterator[str | None]:
    """What is wrong with each example in turn, None where its image decodes; on all cores.

    Raises:
        UserError: the split itself, or a file, gives no bytes. That is no bad image: another time
            it may be a good one.
    """
    numbered = split.references().map(lambda reference, _: reference).enumerate()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for together in numbered.batch(_READ_TOGETHER):
                yield from pool.map(functools.partial(_what_is_wrong, split), *together)
        except tf.errors.OpError as error:
            raise UserError(
                f"{split.name} cannot be read ({reason(error)}); prepare it again"
            ) from error


def drop_unreadable(
    source: Source, checking: Callable[[int, int], None], memory: Path | None = None
) -> Source:
    """A source whose images can all be read; it tells which were left out of it.

    Raises:
        UserError: nothing is left of a split.
    """
    splits, skipped = {}, dict(source.skipped)
    for name, split in source.splits.items():
        found = unreadable_examples(split, checking, memory)
        skipped |= {split.describe(position): why for position, why in found.items()}
        splits[name] = without(split, sorted(found))
    return dataclasses.replace(source, splits=splits, skipped=skipped)


def skipped_images(source: Source) -> dict[str, Any]:
    """What result.json tells of the images that were left out: how many, which, and why."""
    kind = "file" if source.kind == "folder" else "example"
    files = [{kind: where, "reason": why} for where, why in source.skipped.items()]
    return {"count": len(files), "files": files}


def skipped_message(skipped: Mapping[str, str]) -> str:
    """One plain line: how many images were left out, and the first of them."""
    if not skipped:
        return "checked: every image can be read"
    where, why = next(iter(skipped.items()))
    images = "1 image" if len(skipped) == 1 else f"{len(skipped):,} images"
    return f"left out: {images} that cannot be read, as {where}, which {why}; result.json names all"


def _what_is_wrong(split: Split, position: tf.Tensor, reference: tf.Tensor) -> str | None:
    try:
        encoded = split.read(reference)
    except tf.errors.OpError as error:
        where = split.describe(int(position))
        raise UserError(f"{where} cannot be read ({reason(error)}); mend that") from error
    return decode_error(encoded)
