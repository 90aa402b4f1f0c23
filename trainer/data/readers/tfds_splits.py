"""Which splits of a TFDS dataset train, validate and test, where a task does not say."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from trainer.data.readers.partition import HELD_OUT, shares

BEGINNINGS = {"train": "train", "validation": "val", "test": "test"}
"""How datasets call a split that goes by no name of these: trainA and trainB, val, test_clean."""


def split_expressions(sizes: Mapping[str, int]) -> tuple[dict[str, str], tuple[str, ...]]:
    """TFDS split expressions for train, validation and test; and which of them had to be cut.

    The dataset's own splits are taken as they are. Validation and test, where it has none, are
    cut from its train, or for want of that from the largest it has.

    Args:
        sizes: How many examples each split of the dataset has, by its name; one split at least.
    """
    own = {split: parts for split in BEGINNINGS if (parts := _parts(split, sizes))}
    train = own.get("train") or _largest(own, sizes)
    held_out = {split: own[split] for split in HELD_OUT if own.get(split, train) != train}
    missing = tuple(split for split in HELD_OUT if split not in held_out)
    return {
        **_cut(train, shares(missing)),
        **{split: "+".join(parts) for split, parts in held_out.items()},
    }, missing


def _parts(split: str, names: Mapping[str, int]) -> list[str]:
    """The split of that name, or all that begin like it."""
    if split in names:
        return [split]
    return sorted(name for name in names if name.startswith(BEGINNINGS[split]))


def _largest(own: Mapping[str, Sequence[str]], sizes: Mapping[str, int]) -> Sequence[str]:
    known = set(itertools.chain(*own.values()))
    choices = [*own.values(), *([name] for name in sizes if name not in known)]
    return max(choices, key=lambda parts: sum(sizes[part] for part in parts))


def _cut(parts: Sequence[str], percents: Mapping[str, int]) -> dict[str, str]:
    borders = [0, *itertools.accumulate(percents.values())]
    slices = [f"[{first}%:{last}%]" for first, last in itertools.pairwise(borders)]
    if len(slices) == 1:
        slices = [""]
    return {
        split: "+".join(part + percent for part in parts)
        for split, percent in zip(percents, slices, strict=True)
    }
