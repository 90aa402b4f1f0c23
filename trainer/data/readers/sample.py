"""A built-in sample as a source: TFDS reads it from the package."""

from __future__ import annotations

import dataclasses

from trainer import samples
from trainer.core.errors import UserError
from trainer.core.hashing import file_sha256, fingerprint
from trainer.core.text import did_you_mean
from trainer.data import SPLITS
from trainer.data.json_cache import JsonCache
from trainer.data.readers.tfds_cache import cached_source, open_and_cache
from trainer.data.splits import Source

_HELD_OUT_SHARE = 5
"""One example in so many validates, and one in so many tests, of a part as of the whole."""


def sample_source(name: str, examples: int | None, cache: JsonCache) -> Source:
    """The splits of a sample; with `examples` only the first ones, each class equally often.

    Args:
        name: The sample's.
        examples: How many, all splits together; None for all there are.
        cache: Where what TFDS reports about it is cached.

    Raises:
        UserError: there is no such sample, or it has fewer examples.
    """
    names = samples.sample_names()
    if name not in names:
        raise UserError(f"there is no built-in sample {name!r}; {did_you_mean(name, names)}")
    source = _with_stable_fingerprints(_whole_sample(name, cache))
    return source if examples is None else _first_examples(source, examples)


def _whole_sample(name: str, cache: JsonCache) -> Source:
    place = name, {split: split for split in SPLITS}, samples.FOLDER, cache
    source = cached_source(*place) or open_and_cache(*place)
    return dataclasses.replace(source, kind="sample")


def _with_stable_fingerprints(source: Source) -> Source:
    """Fingerprints of the content: the files have another time in every clone of the package."""
    files = sorted(path for path in (samples.FOLDER / source.name).rglob("*") if path.is_file())
    digests = [file_sha256(file) for file in files]
    splits = {
        name: dataclasses.replace(split, fingerprint=fingerprint([split.name, digests]))
        for name, split in source.splits.items()
    }
    return dataclasses.replace(source, splits=splits)


def _first_examples(source: Source, count: int) -> Source:
    """So many examples, split like the whole; the classes of every split alternate."""
    least, most = _HELD_OUT_SHARE * len(source.classes), sum(source.examples.values())
    if not least <= count <= most:
        raise UserError(
            f"--sample-examples {count:,}: the {source.name} sample has {most:,} pictures of"
            f" {len(source.classes)} classes; choose from {least:,} to {most:,}"
        )
    held_out = count // _HELD_OUT_SHARE
    sizes = {"train": count - 2 * held_out, "validation": held_out, "test": held_out}
    splits = {name: split.slice(0, sizes[name]) for name, split in source.splits.items()}
    return dataclasses.replace(source, splits=splits)
