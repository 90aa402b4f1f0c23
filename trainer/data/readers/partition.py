"""Image files divided into splits by their content, whatever their names and order.

All copies of an image, under whatever names and labels, are in one split, and so are the files of
one group. Within a class images are sorted by their SHA-256, a shuffle that depends on nothing
else: the first 70 % are for training, the next 15 % for validation, the last 15 % for the test. One
image more or less moves at most one image across each of the two borders; all others stay where
they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from trainer.core.hashing import file_sha256, file_state, fingerprint
from trainer.core.progress import progress_bar
from trainer.data.json_cache import NO_CACHE, JsonCache

HELD_OUT_PERCENT = {"validation": 15, "test": 15}
"""The percentage of the data that a split gets if the data lack it."""


@dataclasses.dataclass(frozen=True)
class LabelledFile:
    """An image file and its class, by which files are divided."""

    path: Path
    class_name: str
    group: str = ""
    """Files of one group are never torn between splits; "" for none."""


File = TypeVar("File", bound=LabelledFile)


def file_digests(paths: Sequence[Path], cache: JsonCache = NO_CACHE) -> list[str]:
    """The SHA-256 of each file as hex, from the cache unless a file's size or time has changed.

    Raises:
        OSError: a file cannot be read.
    """
    states = [file_state(path, Path(path.anchor)) for path in map(Path.absolute, paths)]
    return cache.get_or_compute(["digests", *states], lambda: _read_digests(paths))


def split_percents(missing: Collection[str]) -> dict[str, int]:
    """The percentage of each missing split, and the rest for train."""
    held_out = {split: share for split, share in HELD_OUT_PERCENT.items() if split in missing}
    return {"train": 100 - sum(held_out.values()), **held_out}


def partition(
    files: Sequence[File], digests: Sequence[str], missing: Collection[str]
) -> dict[str, list[File]]:
    """The files divided into train and the missing splits, each sorted by content.

    Every class is in all of these splits, if it has enough images.

    Args:
        files: All files to divide.
        digests: The SHA-256 of each, as hex.
        missing: The splits beside train: validation, test or both.
    """
    keys: dict[str, set[str]] = {}
    for file, digest in zip(files, digests, strict=True):
        keys.setdefault(file.class_name, set()).add(_key(digest, file))
    splits = assign_splits(keys.values(), split_percents(missing))
    parts: dict[str, list[File]] = {split: [] for split in split_percents(missing)}
    for digest, file in sorted(zip(digests, files, strict=True), key=_by_content):
        parts[splits[_key(digest, file)]].append(file)
    return parts


def _key(digest: str, file: LabelledFile) -> str:
    """What is in one split as a whole: all copies of an image, or all images of a group."""
    return fingerprint(["group", file.group]) if file.group else digest


def assign_splits(
    classes: Collection[Collection[str]], percents: Mapping[str, int]
) -> dict[str, str]:
    """The split of each image, given the digests of every class and the percentage of every split.

    The smallest class comes first. Of a larger class the images that it shares with a smaller one
    are already assigned; its others are assigned so that its splits still have their sizes.
    """
    splits: dict[str, str] = {}
    for images in sorted(map(sorted, classes), key=lambda images: (len(images), images)):
        unassigned = [image for image in images if image not in splits]
        assigned = [splits[image] for image in images if image in splits]
        sizes = split_sizes(len(images), _in_varying_order(percents, images[0]))
        lacking = {split: max(0, sizes[split] - assigned.count(split)) for split in percents}
        splits.update(zip(unassigned, _split_of_ranks(len(unassigned), lacking), strict=True))
    return splits


def _in_varying_order(percents: Mapping[str, int], first_image: str) -> dict[str, int]:
    """The same percentages, with the held-out splits in reverse order for half of the classes.

    Of ten images one is for validation and two for the test, or the other way round: over many
    classes it evens out.
    """
    train, *held_out = percents
    if int(first_image[-1], 16) % 2:
        held_out.reverse()
    return {split: percents[split] for split in (train, *held_out)}


def split_sizes(count: int, percents: Mapping[str, int]) -> dict[str, int]:
    """How many of so many images each split gets: its percentage, and at least one if possible.

    The last split is served first; the first one, train, gets the rest.
    """
    left, sizes = count, {}
    for before, split in reversed(list(enumerate(percents))):
        remaining_percent = sum(list(percents.values())[: before + 1])
        size = max(1, round(left * percents[split] / remaining_percent))
        sizes[split] = max(0, min(size, left - before))
        left -= sizes[split]
    return {split: sizes[split] for split in percents}


def _split_of_ranks(count: int, lacking: Mapping[str, int]) -> list[str]:
    """The split of each rank: the last ranks for what held-out splits lack, the rest for train."""
    train, *held_out = lacking
    tail = [split for split in held_out for _ in range(lacking[split])]
    tail = tail[max(0, len(tail) - count) :]
    return [train] * (count - len(tail)) + tail


def _by_content(pair: tuple[str, LabelledFile]) -> tuple[str, str, Path]:
    digest, file = pair
    return digest, file.class_name, file.path  # one image under two labels is two examples


def _read_digests(paths: Sequence[Path]) -> list[str]:
    digests = []
    with progress_bar("reading files", "files") as report:
        for path in paths:  # threads take twice as long, for small files they wait for each other
            digests.append(file_sha256(path))
            report(len(digests), len(paths))
    return digests
